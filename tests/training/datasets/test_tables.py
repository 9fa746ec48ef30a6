"""One reader for all releases: duplicates over chunks and files, whatever type a chunk has."""

import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.datasets import releases
from training.datasets import cicids2017_original, tables


def test_duplicates_are_found_over_chunks_of_other_types(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "CHUNK_ROWS", 2)
    odd = releases.original(9, "BENIGN", Flow_Bytes_s="NaN")
    rows = [releases.original(1, "BENIGN"), releases.original(2, "BENIGN"), odd, releases.original(1, "BENIGN")]
    releases.write(tmp_path / "a.csv", rows)
    releases.write(tmp_path / "b.csv", [odd])
    loaded = cicids2017_original.load([tmp_path], made.feature_set(), "legacy")
    assert loaded.manifest.kept == {"benign": 3}
    assert loaded.manifest.dropped == {tables.SAME_ROW: 2}


def test_a_place_that_is_missing_or_holds_nothing_is_named(tmp_path):
    with pytest.raises(NettrusionError, match="no such folder"):
        cicids2017_original.load([tmp_path / "x"], made.feature_set(), "legacy")
    with pytest.raises(NettrusionError, match="reads CICIDS2017 as first published"):
        cicids2017_original.load([tmp_path], made.feature_set(), "legacy")


def test_rows_of_unknown_labels_alone_are_an_error(tmp_path):
    releases.write(tmp_path / "a.csv", [releases.original(1, "Martian")])
    with pytest.raises(NettrusionError, match="no row has a label"):
        cicids2017_original.load([tmp_path], made.feature_set(), "legacy")
