"""The registry of sinks."""

from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from sensor.sinks import SINKS, FileSink, Outputs, QueuedSink, SinkOptions, open_sink
from sensor.sinks.sink import Sink
from tests.sensor.sinks.waiting import Memory


def test_every_kind_opens_and_is_a_sink(tmp_path: Path):
    for kind in SINKS:
        sink: Sink = open_sink(kind, SinkOptions(path=tmp_path / kind))
        sink.write([])
        sink.reopen()
        sink.flush()
        sink.close()
        assert sink.counters["lines"] == 0


def test_a_file_sink_gets_its_options(tmp_path: Path):
    path = tmp_path / "eve.json"
    path.write_bytes(b"old\n")
    sink = open_sink("file", SinkOptions(path=path, mode=0o600, fresh=True))
    assert isinstance(sink, FileSink)
    assert path.read_bytes() == b""
    assert sink.mode == 0o600
    sink.close()


def test_an_unknown_kind_names_those_there_are():
    with pytest.raises(NettrusionError, match="'carrier pigeon'; there are: file, stdout"):
        open_sink("carrier pigeon")


def test_a_queue_is_a_sink_too():
    sink: Sink = QueuedSink("test", Memory())
    sink.write([])
    sink.reopen()
    sink.flush()
    sink.close()
    assert list(Outputs([("test", sink, frozenset())]).counters) == ["test"]
