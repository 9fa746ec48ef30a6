"""Quantiles and distances, weighted, against numbers worked out by hand."""

import numpy as np
import pytest

from tests.training.realism.made import sample
from training.realism import shapes


def values(*numbers):
    return np.array(numbers, dtype=float)


def test_quantiles_are_weighted_and_pass_over_what_is_missing():
    given, weight = values(3, 1, np.nan, 2), values(1, 1, 50, 8)
    assert shapes.quantiles(given, weight, (0.1, 0.5, 0.9, 1.0)) == [1, 2, 2, 3]
    assert np.isnan(shapes.quantiles(values(np.nan), values(1), (0.5,))[0])


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((1, 2, 3, 4), (1, 2, 3, 4), 0.0),
        ((1, 2), (3, 4), 1.0),
        ((1, 2, 3, 4), (3, 4, 5, 6), 0.5),
        ((1, 1, 1, 2), (1, 2, 2, 2), 0.5),
        ((4, 1, 3, 2), (2, 4, 1, 3), 0.0),
    ],
)
def test_the_distance_is_the_widest_gap_between_the_distributions(one, other, apart):
    a, b = values(*one), values(*other)
    assert shapes.distance(a, np.ones(4)[: len(a)], b, np.ones(4)[: len(b)]) == pytest.approx(apart)


def test_the_distance_counts_weights_and_needs_values():
    assert shapes.distance(values(1, 2), values(3, 1), values(1, 2), values(1, 1)) == pytest.approx(0.25)
    assert np.isnan(shapes.distance(values(np.nan), values(1), values(1), values(1)))


def test_a_flow_of_one_packet_has_no_duration():
    one = sample(10)
    one.flows["bwd"]["pkts"][0], one.flows["fwd"]["pkts"][0], one.flows["bwd"]["bytes"][0] = 0, 1, 0
    found = shapes.quantities(one)
    assert np.isnan(found["duration, s"]).tolist() == [True] + [False] * 9
    assert np.isnan(found["bytes received"][0])
    assert found["share of bytes received"][0] == 0
    assert shapes.distances(one, one) == dict.fromkeys(found, 0.0)


def test_shares_are_weighted_and_the_largest_first():
    found = shapes.shares(np.array(["a", "b", "b"]), values(6, 1, 1))
    assert list(found.items()) == [("a", 0.75), ("b", 0.25)]
