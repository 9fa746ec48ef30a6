"""Kinds of data: the recordings as one, each release alone; learnt from one, judged on all."""

from dataclasses import replace

import numpy as np

from tests.training.runs import two_kinds
from training.splits import violations
from training.splits.sources import calibration_of, groups, learnt_from_one, reported_of


def test_the_days_are_one_kind_and_every_other_source_its_own():
    table = two_kinds()[1].table
    assert groups(table, ["mon", "tue", "sun"], "lab") == {
        "lab": ("mon", "tue"),
        "cicids2017": ("cicids2017",),
        "thu": ("thu",),
    }
    assert groups(table, [], "lab") == {name: (name,) for name in table.sources}


def test_only_one_kind_is_learnt_from_and_all_are_tested():
    _, prepared = two_kinds()
    table, base = prepared.table, prepared.split
    found = dict(learnt_from_one(base, table, prepared.kinds))
    assert list(found) == ["testbed", "cicids2017"]
    for name, split in found.items():
        learnt = np.concatenate([split.train, split.calibration])
        assert set(table.origin[learnt].tolist()) <= set(prepared.kinds[name])
        assert np.array_equal(split.test, base.test)
        assert violations(split, table) == []
    assert sum(len(split.train) for split in found.values()) == len(base.train)


def test_a_kind_without_attacks_teaches_nothing():
    _, prepared = two_kinds()
    table, base = prepared.table, prepared.split
    quiet = base.train[table.benign[base.train] | (table.origin[base.train] == "cicids2017")]
    assert list(dict(learnt_from_one(replace(base, train=quiet), table, prepared.kinds))) == ["cicids2017"]


def test_parts_by_source():
    _, prepared = two_kinds()
    table, base = prepared.table, prepared.split
    assert set(table.origin[calibration_of(base, table, ["tue"])].tolist()) == {"tue"}
    assert set(table.origin[reported_of(base, table, ["thu"])].tolist()) == {"thu"}
