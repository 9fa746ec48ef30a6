"""The table of scores says the exact share at each of its levels."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.calibrating.levels import TOP, Levels, score_of
from sensor.calibration import MAX_LEVELS, ranks


def levels(ppm) -> Levels:
    made = Levels()
    made.add(np.array(ppm, np.uint32))
    return made


@settings(deadline=None)
@given(st.lists(st.integers(0, TOP) | st.sampled_from([0, 5, TOP]), min_size=1, max_size=600))
def test_shares_are_exact_and_the_highest_and_the_lowest_score_are_there(ppm):
    table = levels(ppm).table()
    scores = np.array(ppm)
    assert len(table) <= MAX_LEVELS
    assert table[0][0] == score_of(max(ppm)) and table[-1] == (score_of(min(ppm)), 1.0)
    for score, share in table:
        assert share == np.mean(scores / 1e6 >= score)
    assert list(table) == sorted(table, key=lambda entry: -entry[0])


@settings(deadline=None)
@given(st.lists(st.integers(0, TOP), min_size=1, max_size=200))
def test_ranks_of_the_flows_themselves_are_never_too_small(ppm):
    made = levels(ppm)
    scores = (np.array(ppm) / 1e6).astype(np.float32)
    exact = np.array([made.reaching(one) for one in ppm]) / len(ppm) * 1e6
    assert (ranks(made.table(), scores) >= np.floor(exact) - 1).all()


def test_counts():
    made = levels([5, 5, 7, 900_000])
    assert (made.flows, made.reaching(6), made.reaching(5), made.reaching(TOP)) == (4, 2, 4, 0)
    assert [made.next_below(at) for at in (5, 6, 900_000, TOP + 1)] == [None, 5, 7, 900_000]


def test_a_score_lies_below_all_that_round_to_it():
    assert score_of(0) == 0
    assert np.rint(np.float64(score_of(17) + 1e-9) * 1e6) == 17
