"""What a file is shows in its bytes; events are read from the earliest on, each file once."""

import gzip
import os
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from sensor.traffic.inputs import sort_out
from tests.packets import connection, pcap
from tests.sensor.traffic.made import NOON_NS, line

CAPTURE = pcap(connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=2))


def events(hour: int) -> bytes:
    return line(end_ns=NOON_NS + hour * 3_600_000_000_000) + b"\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "eve.json").write_bytes(events(3))
    (tmp_path / "in" / "eve.json.1").write_bytes(events(2))
    (tmp_path / "in" / "eve.json.2.gz").write_bytes(gzip.compress(events(1)))
    (tmp_path / "in" / "eve.json.3").write_bytes(b"")
    (tmp_path / "in" / "b10.pcap").write_bytes(CAPTURE)
    (tmp_path / "in" / "b9.pcap.gz").write_bytes(gzip.compress(CAPTURE))
    (tmp_path / "in" / "notes.txt").write_bytes(b"nothing")
    return tmp_path / "in"


def names(paths):
    return [Path(path).name for path in paths]


def test_a_folder_is_sorted_out(folder):
    found = sort_out([str(folder)])
    assert names(found.captures) == ["b9.pcap.gz", "b10.pcap"]
    assert names(found.events) == ["eve.json.2.gz", "eve.json.1", "eve.json"]
    assert names(found.skipped) == ["eve.json.3", "notes.txt"]


def test_a_file_is_read_once_however_often_it_is_named(folder):
    os.link(folder / "eve.json", folder / "same.json")
    found = sort_out([str(folder / "eve.json"), str(folder)])
    assert len(found.events) == 3


def test_damaged_lines_at_the_beginning_do_not_hide_the_time(folder):
    (folder / "eve.json").write_bytes(b"{broken\n[]\n" + events(0))
    assert names(sort_out([str(folder)]).events)[0] == "eve.json"


@pytest.mark.parametrize("name", ["notes.txt", "missing.pcap", "pipe"])
def test_what_was_named_and_cannot_be_read_is_an_error_with_a_remedy(folder, name):
    os.mkfifo(folder / "pipe")
    with pytest.raises(NettrusionError, match=rf"{name}: .*pcap"):
        sort_out([str(folder / name)])


def test_nothing_to_read_is_an_error(tmp_path):
    (tmp_path / "empty.json").write_bytes(b"")
    with pytest.raises(NettrusionError, match="nothing to read"):
        sort_out([str(tmp_path)])
