"""Recordings as a table: labels, episodes, keys, limits, and a manifest that counts what is not in it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made, recorded
from tests.training.recorded import START_US, Talk
from training.datasets import captures

PAGE = Talk(START_US, "10.0.0.1", 4000, "10.9.9.10", 80, "benign")


def load(*places, limit=1000):
    return captures.load(places, made.feature_set(), "cns22", limit)


def test_a_day_is_a_table_with_its_acts_as_episodes(tmp_path):
    recorded.write(tmp_path, "day-1", recorded.day(1))
    loaded = load(tmp_path)
    table = loaded.table
    assert loaded.manifest.kept == {"benign": 120, "scan": 30, "bruteforce": 30}
    assert table.features.shape == (180, len(table.feature_names))
    assert table.sources == ("day-1",)
    assert len(np.unique(table.episodes[table.family == "scan"])) == 3
    assert len(np.unique(table.instance[table.family == "scan"])) == 3
    assert [file.name for file in loaded.manifest.files] == ["day-1.pcap.gz", "day-1.labels.csv"]
    assert loaded.manifest.dropped == {}
    assert "day-1" in loaded.manifest.about[0]


def test_keys_do_not_depend_on_direction_but_on_hosts_ports_and_recording(tmp_path):
    back = replace(PAGE, start_us=START_US + 900_000_000, client="10.9.9.10", sport=80, server="10.0.0.1", dport=4000)
    other = replace(PAGE, sport=4001)
    for name in ("a", "b"):
        recorded.write(tmp_path, name, [PAGE, back, other])
    table = load(tmp_path).table
    for name in ("a", "b"):
        own = table.rows(table.origin == name)
        assert len(np.unique(own.tuple_key)) == 2
    assert len(np.unique(table.tuple_key)) == 4
    assert len(np.unique(table.pair_key)) == 1


def test_acts_of_two_recordings_are_different_episodes(tmp_path):
    for name in ("a", "b"):
        recorded.write(tmp_path, name, [PAGE, replace(PAGE, sport=5, act=2)])
    table = load(tmp_path).table
    assert len(np.unique(table.episodes)) == 4


def test_a_label_that_nobody_knows_is_dropped_and_counted(tmp_path):
    recorded.write(tmp_path, "day", [PAGE, replace(PAGE, sport=5, label="martian")])
    loaded = load(tmp_path)
    assert len(loaded.table) == 1
    assert loaded.manifest.dropped == {f"flows: {captures.UNKNOWN}": 1}


def test_a_limit_thins_a_label_out_and_weights_undo_it(tmp_path):
    recorded.write(tmp_path, "day", recorded.day(2))
    loaded = load(tmp_path, limit=40)
    assert loaded.manifest.kept == {"benign": 40, "scan": 30, "bruteforce": 30}
    assert loaded.manifest.totals == {"benign": 120, "scan": 30, "bruteforce": 30}
    assert loaded.manifest.dropped == {f"flows: {captures.BEYOND}": 80}
    weight = loaded.table.weight
    assert weight[loaded.table.benign] == pytest.approx(3)
    assert weight[~loaded.table.benign] == pytest.approx(1)
    benign = loaded.table.time_ns[loaded.table.benign]
    assert benign.max() - benign.min() > 3_000_000_000_000


def test_unmatched_rows_of_the_labels_are_in_the_manifest(tmp_path):
    labels = recorded.write(tmp_path, "day", [PAGE], manifest=False)
    labels.write_text(labels.read_text() + labels.read_text().splitlines()[1].replace(",4000,", ",4009,") + "\n")
    assert load(tmp_path).manifest.dropped == {"conversations of the labels file that are in no flow": 1}
