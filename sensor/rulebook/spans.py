"""Sets of whole numbers as sorted spans, so that any group of addresses or ports is exact."""

from collections.abc import Iterable

Span = tuple[int, int]
"""A first and a last number, both within."""
Spans = tuple[Span, ...]
"""Spans in rising order that neither overlap nor touch: equal sets are equal tuples."""


def merge(spans: Iterable[Span]) -> Spans:
    """Return the union of any spans, in any order, as one normal tuple."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return tuple(merged)


def subtract(spans: Spans, taken: Spans) -> Spans:
    """Return what is left of one normal tuple when another is taken away."""
    left: list[Span] = []
    for first, last in spans:
        for low, high in taken:
            if high < first:
                continue
            if low > last:
                break
            if low > first:
                left.append((first, low - 1))
            first = high + 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def within(spans: Spans, low: int, high: int) -> Spans:
    """Return the part of a normal tuple between two numbers, both within."""
    return tuple((max(first, low), min(last, high)) for first, last in spans if first <= high and last >= low)
