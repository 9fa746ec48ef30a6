"""Folders of recordings and of CSVs, each read by its own reader, also together."""

import pytest

from sensor.errors import NettrusionError
from tests.training import made, recorded
from training.datasets import folders


def load(*places):
    return folders.load(places, made.feature_set(), "cns22")


def test_recordings_and_csvs_make_one_table(tmp_path):
    (tmp_path / "csv").mkdir()
    made.write_csv(tmp_path / "csv" / "a.csv", [made.row(1, "BENIGN"), made.row(2, "Portscan")])
    recorded.write(tmp_path / "days", "day-1", recorded.day(1))
    loaded = load(tmp_path / "csv", tmp_path / "days")
    table = loaded.table
    assert table.sources == ("cicids2017", "day-1")
    assert (table.origin == "cicids2017").sum() == 2
    assert table.labels == ("benign", "bruteforce", "portscan", "scan")
    assert (table.family == "scan").sum() == 31
    assert loaded.manifest.kept["benign"] == 121
    assert len(loaded.manifest.files) == 3
    assert len(loaded.manifest.about) == 2
    assert (table.time_ns[1:] >= table.time_ns[:-1]).all()


def test_a_folder_of_one_kind_is_read_alone(tmp_path):
    recorded.write(tmp_path, "day-1", recorded.day(1))
    assert load(tmp_path).table.sources == ("day-1",)


def test_a_folder_with_neither_is_refused(tmp_path):
    with pytest.raises(NettrusionError, match="no CSV"):
        load(tmp_path)
