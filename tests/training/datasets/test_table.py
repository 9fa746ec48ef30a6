"""The table's derived columns."""

import numpy as np

from tests.training import made
from training.datasets.labels import CLASSES


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
