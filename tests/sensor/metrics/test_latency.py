"""A histogram counts exactly and guesses quantiles within its buckets."""

import numpy as np
import pytest

from sensor.metrics.latency import BOUNDS_S, Latency


def test_the_bounds_rise_from_microseconds_to_minutes():
    assert BOUNDS_S[:4] == (5e-06, 1e-05, 2.5e-05, 5e-05) and BOUNDS_S[-3:] == (50.0, 100.0, 250.0)
    assert list(BOUNDS_S) == sorted(set(BOUNDS_S)) and len(BOUNDS_S) < 26


def test_what_is_observed_is_counted_at_and_below_each_bound():
    latency = Latency((0.1, 1))
    for seconds in (0.05, 0.1, 0.11, 1.0, 3.0, -2.0):
        latency.observe(seconds)
    latency.observe(0.5, 10)
    assert latency.buckets == [(0.1, 3), (1, 15), (float("inf"), 16)]
    assert latency.count == 16
    assert latency.sum == pytest.approx(0.05 + 0.1 + 0.11 + 1 + 3 + 5)


def test_nothing_observed_has_no_quantile_and_no_times_is_nothing():
    latency = Latency()
    latency.observe(1.0, 0)
    assert latency.count == 0 and latency.sum == 0 and latency.quantile(0.5) is None
    assert latency.buckets[-1] == (float("inf"), 0)


@pytest.mark.parametrize("q", [0.0, 0.01, 0.5, 0.9, 0.99, 1.0])
def test_a_quantile_lies_in_the_bucket_of_the_true_one(q):
    values = np.random.default_rng(0).lognormal(-6, 2, 5000)
    latency = Latency()
    for value in values.tolist():
        latency.observe(value)
    true = np.quantile(values, q, method="inverted_cdf")
    place = np.searchsorted(BOUNDS_S, true)
    lower = 0 if place == 0 else BOUNDS_S[place - 1]
    guess = latency.quantile(q)
    assert guess is not None and lower <= guess <= BOUNDS_S[place]


def test_beyond_the_last_bound_a_quantile_is_that_bound():
    latency = Latency((0.1, 1))
    latency.observe(50)
    assert latency.quantile(0.99) == 1


@pytest.mark.parametrize("bounds", [(), (1, 1), (2, 1)])
def test_bounds_that_do_not_rise_are_refused(bounds):
    with pytest.raises(ValueError, match="bounds of a histogram rise"):
        Latency(bounds)


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_of_no_share_is_refused(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Latency().quantile(q)
