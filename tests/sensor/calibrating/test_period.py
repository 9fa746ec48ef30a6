"""Time seen is the union of flows' times, without long gaps, in whatever order they come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.calibrating.period import HOUR_NS, Period

TIMES = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), min_size=1, max_size=30)


def period(*spans: tuple[float, float]) -> Period:
    made = Period()
    array = (np.array(spans) * HOUR_NS).astype(np.int64)
    made.add(array[:, 0], array[:, 1])
    return made


def test_nothing_seen_is_no_time():
    made = Period()
    made.add(np.empty(0, np.int64), np.empty(0, np.int64))
    assert (made.days, made.first_ns, made.last_ns, made.gaps) == (0, 0, 0, 0)


def test_what_overlaps_counts_once():
    assert period((0, 2), (1, 3), (2.5, 2.6)).days * 24 == pytest.approx(3)


def test_an_hour_without_flows_was_quiet_and_more_was_not_seen():
    made = period((0, 1), (2, 3), (4.5, 5))
    assert made.days * 24 == pytest.approx(3.5)
    assert made.gaps == 1
    assert (made.first_ns, made.last_ns) == (0, 5 * HOUR_NS)


def test_a_long_flow_spans_a_gap():
    assert period((0, 1), (9, 10), (0, 10)).gaps == 0


def test_time_that_runs_backwards_is_a_moment():
    assert period((5, 3)).days == 0


def test_halves_share_the_time_that_was_seen_and_no_gap():
    earlier, later = period((0, 1), (9, 12)).halves()
    assert [half.days * 24 for half in (earlier, later)] == pytest.approx([2, 2])
    assert (earlier.first_ns, earlier.last_ns) == (0, 10 * HOUR_NS)
    assert (later.first_ns, later.last_ns, later.gaps) == (10 * HOUR_NS, 12 * HOUR_NS, 0)
    for half in Period().halves():
        assert half.days == 0
    even = period((0, 1), (9, 10)).halves()
    assert [half.last_ns for half in even] == [HOUR_NS, 10 * HOUR_NS] and even[1].first_ns == 9 * HOUR_NS


@given(TIMES, st.randoms())
def test_the_order_and_the_cut_into_batches_change_nothing(spans, random):
    whole = period(*[(start, start + length) for start, length in spans])
    shuffled = [(start, start + length) for start, length in spans]
    random.shuffle(shuffled)
    cut = random.randint(0, len(shuffled))
    pieces = Period()
    for part in (shuffled[:cut], shuffled[cut:]):
        if part:
            pieces.join(period(*part))
    assert (pieces.days, pieces.gaps, pieces.first_ns, pieces.last_ns) == (
        whole.days,
        whole.gaps,
        whole.first_ns,
        whole.last_ns,
    )
