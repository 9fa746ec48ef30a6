"""Assembled tables are kept as long as their files, the features and the code are the same."""

import numpy as np
import pytest

from tests.training import made, recorded
from training.cache import Cache
from training.config import DataConfig, TransferConfig
from training.datasets import folders
from training.evaluation import transfer


@pytest.fixture
def said():
    return []


@pytest.fixture
def place(tmp_path, said):
    recorded.write(tmp_path / "days", "mon", recorded.day(1, benign=12, attacks=6))
    data = DataConfig(folders=(str(tmp_path / "days"),))
    return Cache(tmp_path / "cache", said.append), data, tmp_path


def same(one, other):
    """Whether two tables hold the same."""
    names = ("features", "label", "time_ns", "tuple_key", "pair_key", "weight", "episode", "source")
    arrays = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)
    texts = ("labels", "feature_names", "sources")
    return arrays and all(getattr(one, name) == getattr(other, name) for name in texts)


def test_a_table_is_assembled_once(place, said, monkeypatch):
    cache, data, _ = place
    first = cache.table(data, made.feature_set())
    monkeypatch.setattr(folders, "load", None)
    again = cache.table(data, made.feature_set())
    assert same(first.table, again.table)
    assert again.manifest == first.manifest
    assert len(said) == 1 and said[0].startswith("read before: table-")


def test_changed_data_or_limits_are_read_anew(place, said):
    cache, data, folder = place
    cache.table(data, made.feature_set())
    cache.table(DataConfig(folders=data.folders, row_limit=5), made.feature_set())
    recorded.write(folder / "days", "mon", recorded.day(2, benign=12, attacks=6))
    cache.table(data, made.feature_set())
    assert said == []
    assert len(list((folder / "cache").iterdir())) == 3


def test_a_damaged_file_is_read_anew(place, said):
    cache, data, folder = place
    first = cache.table(data, made.feature_set())
    path = next((folder / "cache").iterdir())
    path.write_bytes(path.read_bytes()[:-50])
    assert same(cache.table(data, made.feature_set()).table, first.table)
    assert said == [f"{path.name}: is damaged, the data is read again"]


def test_captures_of_other_origin_are_kept_too(place, monkeypatch):
    cache, _, folder = place
    labels = folder / "labels.tsv"
    labels.write_text(
        "file\tkind\tclass\tgroup\tattack_bpf\tlabel_strength\nmon.pcap.gz\tattack\tportscan\tx\tANY\tstrong\n"
    )
    truth = folder / "flows.tsv"
    truth.write_text("file\tproto\tsrc\tsport\tdst\tdport\tfirst_ts\tlast_ts\tattack_packets\n")
    named = TransferConfig(str(folder / "days"), str(labels), str(truth))
    first = cache.elsewhere(named, made.feature_set(), "cns22")
    monkeypatch.setattr(transfer, "load", None)
    again = cache.elsewhere(named, made.feature_set(), "cns22")
    assert np.array_equal(first.features, again.features)
    assert (first.captures, first.left_out) == (again.captures, again.left_out)
    assert again.attack.all() and len(again.attack) == 24
