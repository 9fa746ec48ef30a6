"""Benign flows by host pair, attacks by time, nothing on two sides."""

import numpy as np

from tests.training import made, recorded
from training.datasets import captures
from training.splits import violations
from training.splits.grouped import _cuts, later_the_same_day


def test_nothing_stands_on_two_sides():
    table = made.table()
    split = later_the_same_day(table)
    assert violations(split, table) == []
    parts = np.concatenate([split.train, split.calibration, split.test, split.purged])
    assert sorted(parts) == list(range(len(table)))


def test_an_attack_is_cut_by_time_and_benign_by_host_pair():
    table = made.table()
    split = later_the_same_day(table, calibration=0.25, test=0.25)
    hulk = table.label == table.labels.index("dos hulk")
    part = [rows[hulk[rows]] for rows in (split.train, split.calibration, split.test)]
    assert [len(rows) for rows in part] == [30, 15, 15]
    assert table.time_ns[part[0]].max() <= table.time_ns[part[1]].min()
    assert table.time_ns[part[1]].max() <= table.time_ns[part[2]].min()
    benign = [table.benign[rows].mean() * len(rows) for rows in (split.train, split.test)]
    assert 110 <= benign[0] <= 130
    assert 50 <= benign[1] <= 70


def test_a_five_tuple_that_comes_back_is_purged():
    table = made.table()
    scan = np.flatnonzero(table.label == table.labels.index("portscan"))
    table.tuple_key[scan[-1]] = table.tuple_key[scan[0]]
    split = later_the_same_day(table)
    assert scan[-1] in split.purged
    assert scan[0] in split.train
    assert violations(split, table) == []


def test_families_that_are_not_learnt_are_tested_only():
    table = made.table()
    split = later_the_same_day(table)
    assert "heartbleed" in table.family[split.test]
    assert "heartbleed" not in table.family[np.concatenate([split.train, split.calibration])]


def test_thinning_keeps_the_span_of_a_label_and_every_benign_row():
    table = made.table()
    whole = later_the_same_day(table)
    thin = later_the_same_day(table, train_rows_per_label=5)
    hulk = table.label == table.labels.index("dos hulk")
    assert hulk[thin.train].sum() == 5
    assert thin.train[hulk[thin.train]][[0, -1]].tolist() == (whole.train[hulk[whole.train]][[0, -1]].tolist())
    assert table.benign[thin.train].sum() == table.benign[whole.train].sum()
    assert np.array_equal(thin.test, whole.test)


def test_benign_flows_can_have_shares_of_their_own():
    table = made.table()
    whole, other = later_the_same_day(table), later_the_same_day(table, benign=(0.5, 0.2))
    assert 110 <= table.benign[other.calibration].sum() <= 130
    assert np.array_equal(whole.train[~table.benign[whole.train]], other.train[~table.benign[other.train]])
    assert violations(other, table) == []


def test_the_same_seed_gives_the_same_split():
    table = made.table()
    one, other = (later_the_same_day(table, seed=3) for _ in range(2))
    assert np.array_equal(one.test, other.test)


def test_acts_of_a_recording_are_not_cut(tmp_path):
    recorded.write(tmp_path, "mon", recorded.day(1, attacks=60))
    table = captures.load([tmp_path], made.feature_set(), "cns22").table
    split = later_the_same_day(table)
    assert violations(split, table) == []
    for family in ("scan", "bruteforce"):
        acts = [set(table.episodes[rows[table.family[rows] == family]].tolist()) for rows in parts(split)]
        assert [len(one) for one in acts] == [3, 1, 2]
        assert len(set.union(*acts)) == 6


def test_every_part_has_an_act_though_one_is_far_larger():
    episodes = np.array([7] * 8 + [3] + [5])
    assert _cuts(episodes, np.array([0.5, 0.75])) == [8, 9]


def test_two_acts_are_cut_by_time(tmp_path):
    recorded.write(tmp_path, "mon", recorded.day(1, attacks=20))
    table = captures.load([tmp_path], made.feature_set(), "cns22").table
    split = later_the_same_day(table)
    assert violations(split, table) == []
    assert all((table.family[rows] == "scan").any() for rows in parts(split))


def parts(split):
    return split.train, split.calibration, split.test
