"""Captures and the events written of them give the same flows; what is damaged is counted, the rest counts."""

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sensor.config import Config
from sensor.sinks import SinkOptions, open_sink
from sensor.traffic import Traffic, nothing_usable, sort_out
from sensor.traffic.batch import Alert
from tests.packets import connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES, KnownDetector
from tests.sensor.traffic.made import NOON_NS, line

LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)
QUIET = connection("10.0.0.3", "10.0.0.2", (40001, 80), rounds=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with two captures and the events of them."""
    from dataclasses import replace

    from sensor.pipeline import Pipeline
    from sensor.rulebook import Rulebook
    from sensor.sources import open_capture

    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules").write_text(RULES)
    (tmp_path / "rules" / "classification.config").write_text(CLASSIFICATION)
    (tmp_path / "a.pcap").write_bytes(pcap(sorted(LOUD + QUIET, key=lambda one: one.time_ns)))
    (tmp_path / "b.pcap").write_bytes(pcap(QUIET))
    config = replace(Config(), output=replace(Config().output, flow_events=True))
    sink = open_sink("file", SinkOptions(path=tmp_path / "eve.json", mode=0o640, fresh=True))
    pipeline = Pipeline(config, KnownDetector(), Rulebook.load(tmp_path / "rules", {}), sink)  # type: ignore[arg-type]
    for name in ("a.pcap", "b.pcap"):
        source = open_capture(tmp_path / name)
        pipeline.run(source)
        source.close()
    pipeline.finish()
    sink.close()
    return tmp_path


def read(*paths: Path) -> tuple[Traffic, np.ndarray, list[Alert]]:
    traffic = Traffic(Config(), KnownDetector())  # type: ignore[arg-type]
    batches = list(traffic.read(sort_out([str(path) for path in paths])))
    alerts = [alert for batch in batches for alert in batch.alerts]
    return traffic, np.concatenate([batch.rows for batch in batches]), alerts


def flows(rows: np.ndarray) -> list[tuple]:
    return [
        (int(one["ppm"]), int(one["segment"]), int(one["flow_id"]), bytes(one["src"]), int(one["fwd_bytes"]))
        for one in rows[rows["reason"] != 8]
    ]


def test_captures_and_events_give_the_same_flows(place):
    _, of_captures, none = read(place / "a.pcap", place / "b.pcap")
    traffic, of_events, alerts = read(place / "eve.json")
    assert len(flows(of_captures)) == 3
    assert [(one[0], *one[2:]) for one in flows(of_captures)] == [(one[0], *one[2:]) for one in flows(of_events)]
    assert [one[1] - flows(of_captures)[0][1] for one in flows(of_captures)] == [
        one[1] - flows(of_events)[0][1] for one in flows(of_events)
    ]
    assert (none, [alert.class_name for alert in alerts]) == ([], ["dos"])
    assert traffic.counts == {"of other kinds": 1} and traffic.faults == []


def test_features_come_with_captures_alone(place):
    traffic = Traffic(Config(), KnownDetector())  # type: ignore[arg-type]
    for batch in traffic.read(sort_out([str(place / "a.pcap")])):
        assert batch.features is not None and len(batch.features) == len(batch.rows)
    assert all(batch.features is None for batch in traffic.read(sort_out([str(place / "eve.json")])))


def test_rotated_and_packed_files_are_one_stream(tmp_path):
    hours = [line(mark=0, end_ns=NOON_NS + at * 3_600_000_000_000, flow_id=at) + b"\n" for at in range(6)]
    (tmp_path / "eve.json").write_bytes(b"".join(hours[4:]))
    (tmp_path / "eve.json.1").write_bytes(b"".join(hours[2:4]))
    (tmp_path / "eve.json.2.gz").write_bytes(gzip.compress(hours[0]) + gzip.compress(hours[1]))
    rows = read(tmp_path)[1]
    assert rows["flow_id"].tolist() == [0, 1, 2, 3, 4, 5]
    assert len(set(rows["segment"].tolist())) == 1


def test_damaged_lines_are_told_with_their_place_and_the_others_count(place):
    path = place / "eve.json"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"event_type": "flow", \n' + b"".join(lines[1:]) + b"{}\n" * 10 + lines[1][:100])
    traffic, rows, _ = read(path)
    assert len(flows(rows)) == 3
    assert traffic.counts["damaged"] == 12
    assert traffic.faults[0].startswith(f"{path}:2: ") and len(traffic.faults) == 5


def test_a_packed_file_that_ends_early_is_told(place):
    content = (place / "eve.json").read_bytes()
    (place / "eve.json.gz").write_bytes(gzip.compress(content)[:-9])
    traffic, rows, _ = read(place / "eve.json.gz")
    assert len(flows(rows)) == 3 and "ends early" in traffic.faults[0]


def test_a_capture_cut_short_is_told(place):
    (place / "a.pcap").write_bytes((place / "a.pcap").read_bytes()[:-5])
    assert "cut short" in read(place / "a.pcap")[0].faults[0]


def test_why_there_is_nothing_is_said(place):
    path = place / "eve.json"
    other = [json.loads(line) for line in path.read_text().splitlines()]
    for event in other:
        event.get("metadata", {}).get("flowints", {}).update(ml_model=99)
    path.write_text("".join(json.dumps(event) + "\n" for event in other))
    traffic, rows, _ = read(path)
    assert not len(rows)
    assert "another model than known 1" in str(nothing_usable(traffic.counts, "known 1"))
    assert "flow_events = true" in str(nothing_usable(Counter(), "known 1"))
