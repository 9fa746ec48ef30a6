"""The audit of a split notices every way in which its parts can touch."""

from dataclasses import replace

import numpy as np

from tests.training import made
from training.splits import violations
from training.splits.grouped import later_the_same_day


def test_a_row_in_two_parts_is_noticed():
    table = made.table()
    split = later_the_same_day(table)
    wrong = replace(split, test=np.append(split.test, split.train[0]))
    assert any("rows are in both train and test" in text for text in violations(wrong, table))


def test_a_host_pair_in_two_parts_is_noticed():
    table = made.table()
    split = later_the_same_day(table)
    benign = [rows[table.benign[rows]][0] for rows in (split.train, split.calibration)]
    table.pair_key[benign[1]] = table.pair_key[benign[0]]
    assert any("benign host pairs" in text for text in violations(split, table))


def test_a_five_tuple_in_two_parts_is_noticed():
    table = made.table()
    split = later_the_same_day(table)
    table.tuple_key[split.test[0]] = table.tuple_key[split.train[0]]
    assert any("5-tuples" in text for text in violations(split, table))


def test_attack_rows_out_of_time_order_are_noticed():
    table = made.table()
    split = later_the_same_day(table)
    hulk = table.label == table.labels.index("dos hulk")
    first = split.train[hulk[split.train]][0]
    wrong = replace(
        split,
        train=np.setdiff1d(split.train, [first]),
        test=np.append(split.test, first),
    )
    assert any("start before" in text for text in violations(wrong, table))


def test_an_unseen_family_in_train_is_noticed():
    table = made.table()
    split = replace(later_the_same_day(table), unseen=("dos",))
    assert any("unseen family dos" in text for text in violations(split, table))
