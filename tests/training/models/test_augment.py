"""A slower network changes times and rates, and nothing else."""

import numpy as np
import pytest

from tests.training import made
from training.models.augment import stretch
from training.models.candidate import Lesson


def test_times_grow_as_rates_shrink_and_the_rest_stays():
    table = made.table(rows=2, benign=4)
    lesson = Lesson(table, table, times=np.array([1, 3]), rates=np.array([4]))
    slower = stretch(table.features, lesson, 0.7, seed=1)
    factor = slower[:, 1] / table.features[:, 1]
    assert len(set(factor.tolist())) > 3
    assert slower[:, 3] / table.features[:, 3] == pytest.approx(factor, rel=1e-4)
    assert table.features[:, 4] / slower[:, 4] == pytest.approx(factor, rel=1e-4)
    rest = np.setdiff1d(np.arange(table.features.shape[1]), [1, 3, 4])
    assert np.array_equal(slower[:, rest], table.features[:, rest])


def test_the_same_seed_slows_alike():
    table = made.table(rows=2, benign=4)
    lesson = Lesson(table, table, times=np.array([1]))
    one, other = (stretch(table.features, lesson, 0.5, seed=2) for _ in range(2))
    assert np.array_equal(one, other)
