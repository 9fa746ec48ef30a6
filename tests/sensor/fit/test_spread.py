"""Distances of scores below the threshold, by hand and against a plain computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.calibrating import Levels
from sensor.fit.spread import Spread


def spread(ppm, threshold: float) -> Spread:
    levels = Levels()
    levels.add(np.array(ppm, np.uint32))
    return Spread.of(levels.table(), threshold)


def drawn(seed: int, n: int = 20_000, power: float = 6) -> np.ndarray:
    return (np.random.default_rng(seed).random(n) ** power * 1e6).astype(np.uint32)


def test_the_same_scores_lie_nowhere():
    made = spread(drawn(1), 0.9)
    counts = made.counted(drawn(1))
    assert made.distance(counts) == pytest.approx(0, abs=1e-3)
    assert made.stability(counts) < 0.01


def test_a_sample_of_the_same_lies_close_and_of_others_far():
    made = spread(drawn(1), 0.9)
    alike, others = made.counted(drawn(2)), made.counted(drawn(3, power=2))
    assert made.distance(alike) < 0.02 and made.stability(alike) < 0.01
    assert made.distance(others) > 0.3 and made.stability(others) > 0.25


def test_what_reaches_the_threshold_moves_nothing():
    made = spread(drawn(1), 0.5)
    flood = np.append(drawn(2), np.full(50_000, 990_000, np.uint32))
    assert made.distance(made.counted(flood)) == made.distance(made.counted(drawn(2)))
    assert made.stability(made.counted(flood)) == pytest.approx(made.stability(made.counted(drawn(2))))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_the_distance_is_that_of_kolmogorov_and_smirnov_at_the_levels(first, second):
    made = spread(first, 1.0)
    counts = made.counted(np.array(second, np.uint32))
    plain = max(
        abs(np.mean(np.array(first) < level) - np.mean(np.array(second) < level)) for level in made.levels.tolist()
    )
    assert made.distance(counts) == pytest.approx(plain)
    assert made.stability(counts) >= 0


def test_nothing_below_the_threshold_is_alike_only_with_nothing():
    none = spread([900_000] * 5, 0.5)
    assert none.distance(none.counted(np.array([900_000], np.uint32))) == 0
    assert none.distance(none.counted(np.array([1], np.uint32))) == 1
    assert none.stability(none.counted(np.array([1], np.uint32))) == 0
    some = spread([1, 2], 0.5)
    assert some.distance(some.counted(np.array([900_000], np.uint32))) == 1


def test_bins_have_about_a_tenth_of_the_flows():
    made = spread(drawn(1), 0.9)
    shares = np.diff(made.below[made._edges()], prepend=0)
    assert 8 <= len(shares) <= 10 and shares.max() < 0.2
