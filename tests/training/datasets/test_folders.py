"""Folders of recordings and of CSVs, each read by its own reader, also together."""

from importlib import import_module

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


def test_one_folder_may_hold_several_kinds(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(1, "BENIGN"), made.row(2, "Portscan")])
    recorded.write(tmp_path, "day-1", recorded.day(1))
    assert load(tmp_path).table.sources == ("cicids2017", "day-1")


def test_every_kind_has_a_finder_and_a_loader(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing\n")
    for kind in folders.KINDS:
        assert kind.find(tmp_path) == []
        assert callable(import_module(f"training.datasets.{kind.loader}").load)


def test_what_lies_where_is_told_by_its_head(shared_data, repo, tmp_path):
    places = {
        repo / "sensor" / "data": "recordings",
        shared_data / "captures": "labelled captures",
        shared_data / "zeek": "labelled Zeek logs",
        shared_data / "cicids2017_improved_2500": "the corrected CSVs",
        shared_data / "cicids2017_original_header": "the CSVs of CICIDS2017 as first published",
        shared_data / "iscx2012": "the flow records of ISCXIDS2012",
    }
    for place, name in places.items():
        assert [kind.name.startswith(name) for kind in folders.sorted_by_kind([place])] == [True]


def test_what_is_none_of_it_is_passed_over_whatever_it_is(tmp_path):
    odd = {
        "carriage returns": b"src,dst\r1,2\r3,4\r",
        "bytes": bytes(range(256)) * 40,
        "one long line": b"x" * 300_000,
        "a quote that never ends": b'a,"b\n' + b"c\n" * 90_000,
        "nothing": b"",
        "nul": b"file\0,kind\n\0\n",
    }
    for name, data in odd.items():
        for ending in (".csv", ".tsv", ".xml", ".json", ".labeled", ".txt", ""):
            (tmp_path / f"{name}{ending}").write_bytes(data)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    for kind in folders.KINDS:
        assert kind.find(tmp_path) == [], kind.name


def test_a_folder_with_nothing_known_is_refused(tmp_path):
    with pytest.raises(NettrusionError, match="no labelled data that is known; known are: recordings"):
        load(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(NettrusionError, match="gone: no such file or folder"):
        load(tmp_path / "gone")
