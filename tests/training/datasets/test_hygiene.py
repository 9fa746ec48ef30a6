"""Benign rows in the middle of an attack are doubted, others are not."""

import numpy as np

from tests.training import made
from training.datasets.hygiene import doubtful


def test_a_benign_row_between_attacker_and_victim_during_the_attack_is_doubtful():
    table = made.table(rows=10, benign=50)
    assert not doubtful(table).any()
    hulk = np.flatnonzero(table.label == table.labels.index("dos hulk"))
    inside, later = np.flatnonzero(table.benign)[:2]
    table.pair_key[[inside, later]] = table.pair_key[hulk[0]]
    table.time_ns[inside] = table.time_ns[hulk[4]]
    table.time_ns[later] = table.time_ns[hulk].max() + 1
    assert np.flatnonzero(doubtful(table)).tolist() == [inside]
