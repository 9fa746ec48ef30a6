"""Flows with the rules that they met, as incidents take them in."""

import numpy as np

from sensor.flows import Reason
from sensor.rulebook import GROUPING
from sensor.rulebook.keys import Keys
from sensor.rulebook.pairs import Pairs
from sensor.rulebook.plan import Matches
from tests.sensor.rulebook.table import SECOND_NS, F, scored

KEYS = Keys([GROUPING, GROUPING])


def test_columns_of_the_rows_that_match():
    flows = [F(end=5), F(end=9, id=3, reason=Reason.ACTIVE), F(end=7, id=4, part=2, reason=Reason.SNAPSHOT), F(end=8)]
    matches = Matches(np.array([1, 2, 2, 3]), np.array([0, 0, 1, 0]), 0, 0)
    pairs = Pairs.of(scored(flows), matches, KEYS, 6 * SECOND_NS)
    assert (pairs.rows, pairs.places) == ([1, 2, 2, 3], [0, 0, 1, 0])
    assert [time // SECOND_NS for time in pairs.times_ns] == [9, 7, 7, 8]
    assert [clock // SECOND_NS for clock in pairs.clocks_ns] == [9, 9, 9, 9]
    assert pairs.flow_ids == [3, 4, 4, 0]
    assert pairs.again == [False, True, True, False]
    assert pairs.more == [True, True, True, False]
    assert len(set(pairs.keys)) == len(set(pairs.crowds)) == 2
    assert len(set(pairs.sources)) == 1


def test_the_clock_is_that_before_the_batch_until_a_flow_is_later():
    matches = Matches(np.array([0, 1]), np.array([0, 0]), 0, 0)
    pairs = Pairs.of(scored([F(end=5), F(end=9)]), matches, KEYS, 6 * SECOND_NS)
    assert [clock // SECOND_NS for clock in pairs.clocks_ns] == [6, 9]
