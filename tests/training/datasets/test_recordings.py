"""Recordings become flows with the label of their own conversation, and what has none is counted."""

from dataclasses import replace

import pytest

from sensor.errors import NettrusionError
from tests.training import recorded
from tests.training.recorded import START_US, Talk
from training.datasets import recordings

PAGE = Talk(START_US, "10.0.0.1", 4000, "10.9.9.10", 80, "benign")
GUESS = replace(PAGE, start_us=START_US + 900_000_000, label="bruteforce", activity="guess-web", act=7, host="attacker")


def read(folder):
    (found,) = recordings.read([folder])
    return found


def test_one_five_tuple_at_two_times_has_two_labels(tmp_path):
    recorded.write(tmp_path, "day", [PAGE, GUESS])
    found = read(tmp_path)
    assert found.column("label").tolist() == ["benign", "bruteforce"]
    assert found.column("activity").tolist() == ["web-page", "guess-web"]
    assert found.column("act").tolist() == [1, 7]
    assert found.column("host").tolist() == ["desk", "attacker"]
    assert found.flows["fwd"]["pkts"].tolist() == [5, 5]
    assert (sum(found.dropped.values()), found.unmatched) == (0, 0)


def test_a_flow_without_a_row_and_a_row_without_a_flow_are_counted(tmp_path):
    silent = replace(PAGE, sport=4001, labelled=False)
    labels = recorded.write(tmp_path, "day", [PAGE, silent], manifest=False)
    row = labels.read_text().splitlines()[1]
    labels.write_text(labels.read_text() + row.replace(",4000,", ",4002,") + "\n" + row.replace("180", "190") + "\n")
    found = read(tmp_path)
    assert len(found.flows) == 1
    assert found.dropped == {recordings.NO_ROW: 1, recordings.TWO_LABELS: 0}
    assert found.unmatched == 2


def test_a_flow_of_two_labels_is_dropped_and_of_two_rows_with_one_kept(tmp_path):
    for name, label in (("two", "scan"), ("one", "benign")):
        first = replace(PAGE, udp=True, sizes=(10,))
        later = replace(first, start_us=START_US + 1000, label=label, act=9, sizes=(10, 10, 10))
        recorded.write(tmp_path / name, name, [first, later])
    assert read(tmp_path / "two").dropped[recordings.TWO_LABELS] == 1
    kept = read(tmp_path / "one")
    assert kept.column("act").tolist() == [9]
    assert kept.unmatched == 0


def test_a_recording_without_manifest_or_later_columns_is_read(tmp_path):
    recorded.write(tmp_path, "old", [PAGE], columns=9, manifest=False)
    found = read(tmp_path)
    assert found.column("label").tolist() == ["benign"]
    assert found.column("act").tolist() == [0]


def test_every_name_of_a_recording_leads_to_it(tmp_path):
    labels = recorded.write(tmp_path / "a", "day-1", [PAGE])
    recorded.write(tmp_path / "b", "day-2", [PAGE])
    assert [one.name for one in recordings.read([tmp_path])] == ["day-1", "day-2"]
    for ending in (".pcap.gz", ".manifest.json", ".labels.csv"):
        assert recordings.find(labels.with_name("day-1" + ending)) == [labels]
    assert recordings.find(tmp_path / "a" / "notes.txt") == []


def test_the_bundled_recording_finds_a_label_for_every_flow(repo):
    found = read(repo / "sensor" / "data" / "demo.pcap.gz")
    assert len(found.flows) > 900
    assert (sum(found.dropped.values()), found.unmatched) == (0, 0)


def test_a_file_that_is_not_the_one_of_its_manifest_is_refused(tmp_path):
    labels = recorded.write(tmp_path, "day", [PAGE])
    labels.write_text(labels.read_text().replace("benign", "scan"))
    with pytest.raises(NettrusionError, match=r"day\.labels\.csv with sha256"):
        read(tmp_path)
    labels.with_name("day.manifest.json").write_text("{}")
    with pytest.raises(NettrusionError, match="no manifest of a recording"):
        read(tmp_path)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(NettrusionError, match="no recording"):
        read(tmp_path)
    labels = recorded.write(tmp_path, "day", [PAGE])
    labels.with_name("day.pcap.gz").unlink()
    with pytest.raises(NettrusionError, match="no capture beside it"):
        read(tmp_path)
    labels.with_name("day.pcap.gz").write_bytes(b"not a capture at all")
    with pytest.raises(NettrusionError, match="day"):
        read(tmp_path)


def test_two_recordings_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        recorded.write(tmp_path / folder, "day", [PAGE])
    with pytest.raises(NettrusionError, match="read already"):
        list(recordings.read([tmp_path]))


def test_tables_of_flows_are_put_one_behind_the_other(tmp_path):
    recorded.write(tmp_path, "mon", recorded.day(1))
    flows = recordings.assemble(tmp_path / "mon.pcap.gz")
    both = recordings.whole([flows[:3], flows[3:3], flows[3:]])
    assert both.tobytes() == flows.tobytes()
    both["proto"] = 0
    assert recordings.whole([]).shape == (0,)
