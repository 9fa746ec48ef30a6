"""Limits of a Poisson mean, against the published ones and against their own definition."""

import math

import pytest

from sensor.calibrating.poisson import lower, most_within, upper


@pytest.mark.parametrize(
    # Chi-squared quantiles: 0.95 at 2 (n + 1) degrees of freedom, halved; 0.05 at 2 n.
    ("count", "low", "high"),
    [(0, 0, 2.9957), (1, 0.0513, 4.7439), (2, 0.3554, 6.2958), (5, 1.9701, 10.5130), (10, 5.4254, 16.9622)],
)
def test_small_counts_have_the_limits_of_the_tables(count, low, high):
    assert lower(count) == pytest.approx(low, abs=1e-4)
    assert upper(count) == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize("count", [100, 10_000, 1_000_000])
def test_large_counts_are_nearly_normal(count):
    assert upper(count) == pytest.approx(count + 1.645 * math.sqrt(count), rel=0.02)
    assert lower(count) == pytest.approx(count - 1.645 * math.sqrt(count), rel=0.02)


def test_the_rule_of_three():
    assert upper(0) == pytest.approx(-math.log(0.05))


@pytest.mark.parametrize(("mean", "count"), [(0, -1), (2.99, -1), (3.0, 0), (10.52, 5), (16.9, 9), (20_000, 19_766)])
def test_the_most_that_is_surely_within_a_mean(mean, count):
    assert most_within(mean) == pytest.approx(count, abs=0 if count < 100 else 3)
    assert upper(most_within(mean) + 1) > mean
