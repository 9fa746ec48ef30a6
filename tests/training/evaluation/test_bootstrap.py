"""Intervals come from groups, not rows."""

import numpy as np

from training.evaluation.bootstrap import share_interval


def test_one_pair_of_hosts_gives_no_interval():
    assert share_interval(np.ones(1000, dtype=bool), np.zeros(1000, dtype=np.uint64)) is None


def test_grouped_hits_are_less_certain_than_scattered_ones():
    groups = np.repeat(np.arange(20, dtype=np.uint64), 50)
    clumped = groups < 2
    scattered = np.arange(1000) % 10 == 0
    wide, narrow = share_interval(clumped, groups), share_interval(scattered, groups)
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])
    assert wide[0] <= 0.1 <= wide[1]
