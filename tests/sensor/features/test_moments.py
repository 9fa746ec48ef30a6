"""Variance from sums: against the statistics module, on whole numbers."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.features.moments import mean, moments, ratio, sample_variance
from tests.sensor.features.flows import flow, gaps


def sums(values: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return number, sum and sum of squares, modulo 2**64 as the engine's counters are."""
    counts = (len(values), sum(values), sum(v * v for v in values))
    n, total, squares = (np.array([c % 2**64], np.uint64) for c in counts)
    return n, total, squares


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=60))
def test_variance_of_sizes(values: list[int]):
    got = sample_variance(*sums(values))[0]
    assert got == pytest.approx(statistics.variance(values), rel=1e-12, abs=0)


def test_variance_of_fewer_than_two_is_zero():
    assert sample_variance(*sums([]))[0] == 0
    assert sample_variance(*sums([1500]))[0] == 0


def test_equal_sizes_have_no_variance_however_many():
    n, size = 10**9, 1447
    got = sample_variance(*(np.array([c], np.uint64) for c in (n, n * size, n * size * size)))
    assert got[0] == 0


def test_one_in_a_billion_is_seen():
    n, size = 10**9, 1447
    values = (n, n * size + 1, (n - 1) * size * size + (size + 1) ** 2)
    got = sample_variance(*(np.array([c], np.uint64) for c in values))
    assert got[0] == pytest.approx(1e-9, rel=1e-6)


def test_moments_of_times_become_microseconds():
    got = moments("x", flow(iat=gaps(10, 20, 60))["iat"])
    expected = {"x_mean": 30, "x_std": statistics.stdev([10, 20, 60]), "x_max": 60, "x_min": 10}
    assert {name: value[0] for name, value in got.items()} == pytest.approx(expected)


def test_moments_of_nothing_are_zero_or_undefined():
    assert {v[0] for v in moments("x", flow()["iat"]).values()} == {0}
    assert all(np.isnan(v[0]) for v in moments("x", flow()["iat"], needed=True).values())
    one = {name: v[0] for name, v in moments("x", flow(iat=gaps(7))["iat"], needed=True).items()}
    assert one == {"x_mean": 7, "x_std": 0, "x_max": 7, "x_min": 7}


def test_the_mean_of_nothing_is_zero():
    assert mean(np.array([6.0, 0.0]), np.array([4.0, 0.0])).tolist() == [1.5, 0]


def test_a_ratio_to_nothing_is_zero():
    assert ratio(np.array([3.0, 3.0, 0.0]), np.array([2.0, 0.0, 0.0])).tolist() == [1.5, 0, 0]
