"""Leaving a family out leaves all of it out."""

import numpy as np

from tests.training import made
from training.splits import violations
from training.splits.family import families, held_back, leave_one_family_out
from training.splits.grouped import later_the_same_day


def test_every_learnt_family_is_left_out_once():
    table = made.table()
    base = later_the_same_day(table)
    splits = list(leave_one_family_out(base, table))
    assert [split.unseen for split in splits] == [(name,) for name in families(table)]
    assert families(table) == ["bot", "bruteforce", "ddos", "dos", "scan", "slowdos", "web"]
    for split in splits:
        assert violations(split, table) == []
        learnt = np.concatenate([split.train, split.calibration])
        assert split.unseen[0] not in table.family[learnt]
        assert set(table.family[split.test]) == {"benign", split.unseen[0]}


def test_rows_to_compare_on_are_neither_learnt_nor_reported():
    table = made.table()
    base = later_the_same_day(table)
    split = next(leave_one_family_out(base, table))
    rows = held_back(base, split, table)
    assert len(rows)
    assert set(table.family[rows]) == set(split.unseen)
    used = np.concatenate([split.train, split.calibration, split.test])
    assert not np.isin(rows, used).any()
