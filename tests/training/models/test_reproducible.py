"""One seed repeats everything that draws."""

import random

import numpy as np

from training.models.reproducible import one_thread, seed_everything


def test_python_and_numpy_repeat():
    drawn = []
    for _ in range(2):
        seed_everything(5)
        drawn.append((random.random(), float(np.random.rand())))
    assert drawn[0] == drawn[1]


def test_one_thread_holds_inside_and_only_there():
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    assert HistGradientBoostingClassifier  # loads what has threads
    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before
