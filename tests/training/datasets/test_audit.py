"""The smell audit finds what was planted."""

import json

import numpy as np

from tests.training import made
from training.datasets.audit import audit
from training.splits.grouped import later_the_same_day


def test_planted_smells_are_found():
    table = made.table(rows=20, benign=200)
    split = later_the_same_day(table)
    clean = audit(table, split)
    assert (clean.duplicate_rows, clean.train_in_test, clean.contradicting_rows) == (0, 0, 0)
    attack = split.train[~table.benign[split.train]][0]
    quiet = split.test[table.benign[split.test]][0]
    table.features[quiet] = table.features[attack]
    table.features[:, 7] = 4.0
    found = audit(table, split)
    assert found.duplicate_rows == 1
    assert found.train_in_test == found.train_in_test_benign == 1
    assert found.contradicting_rows == 2
    assert found.constant_columns == [table.feature_names[7]]


def test_a_feature_that_tells_the_label_is_the_first_stump():
    table = made.table(rows=20, benign=200)
    table.features[:, 11] = np.where(table.benign, 1.0, 2.0)
    found = audit(table, later_the_same_day(table))
    assert found.stumps[0].feature == table.feature_names[11]
    assert found.stumps[0].balanced_accuracy == 1.0
    assert len(found.lines(top=3)) == 7
    assert json.dumps(found.as_dict())
