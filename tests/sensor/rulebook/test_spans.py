"""Spans against sets of numbers."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook.spans import merge, subtract, within

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair))))


def numbers(some) -> set[int]:
    return {number for first, last in some for number in range(first, last + 1)}


@settings(deadline=None)
@given(spans)
def test_a_union_has_the_same_numbers_in_its_shortest_form(some):
    merged = merge(some)
    assert numbers(merged) == numbers(some)
    assert all(left[1] + 1 < right[0] for left, right in itertools.pairwise(merged))


@settings(deadline=None)
@given(spans, spans)
def test_what_is_left_has_the_numbers_that_were_not_taken(some, taken):
    left = subtract(merge(some), merge(taken))
    assert numbers(left) == numbers(some) - numbers(taken)
    assert left == merge(left)


@settings(deadline=None)
@given(spans, st.integers(0, 30), st.integers(0, 30))
def test_within_keeps_what_lies_between(some, low, high):
    assert numbers(within(merge(some), low, high)) == numbers(some) & set(range(low, high + 1))
