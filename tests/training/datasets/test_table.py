"""The table's derived columns."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made
from training.datasets.labels import CLASSES
from training.datasets.table import join


def test_targets_follow_the_label_and_leave_out_what_is_not_learnt():
    table = made.table(rows=3, benign=5)
    by_label = dict(zip(np.array(table.labels)[table.label], table.target, strict=True))
    assert by_label["benign"] == 0
    assert CLASSES[by_label["dos goldeneye"]] == "dos"
    assert by_label["heartbleed"] == -1
    assert table.benign.sum() == 5


def test_an_instance_is_one_label_on_one_day():
    table = made.table(rows=3, benign=50)
    hulk = table.label == table.labels.index("dos hulk")
    assert len(set(table.instance[hulk])) == 1
    assert len(set(table.instance[table.benign])) == 5


def test_rows_select_every_column_alike():
    table = made.table(rows=2, benign=4)
    picked = table.rows(np.array([3, 0]))
    assert len(picked) == 2
    assert picked.features[0, 5] == table.features[3, 5]
    assert picked.tuple_key.tolist() == table.tuple_key[[3, 0]].tolist()


def test_joined_tables_keep_their_labels_sources_and_episodes():
    one, other = made.table(rows=2, benign=4), made.table(rows=3, benign=5)
    other = replace(other.rows(other.family != "web"), labels=other.labels, sources=("other",))
    both = join([replace(one, sources=("one",)), other])
    assert len(both) == len(one) + len(other)
    assert (both.time_ns[1:] >= both.time_ns[:-1]).all()
    for name, table in (("one", one), ("other", other)):
        own = both.rows(both.origin == name)
        assert sorted(own.family.tolist()) == sorted(table.family.tolist())
    shared = set(both.instance[both.origin == "one"].tolist()) & set(both.instance[both.origin == "other"].tolist())
    assert not shared
    with pytest.raises(ValueError, match="different features"):
        join([one, replace(one, feature_names=("x",))])
