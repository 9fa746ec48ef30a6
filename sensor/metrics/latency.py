"""How long something took, as a histogram with fixed bounds: constant memory, one step a moment."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import ceil
from typing import Final

BOUNDS_S: Final = (
    *(5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0),
)
"""5 µs to 250 s in steps of about two: from one flow's score to a flow that ends by its idle timeout."""


class Latency:
    """Counts durations. One thread observes; any other may read at the same time."""

    def __init__(self, bounds_s: Sequence[float] = BOUNDS_S) -> None:
        """Count up to each of these bounds, which rise, and beyond the last."""
        if not bounds_s or list(bounds_s) != sorted({*bounds_s}):
            raise ValueError("the bounds of a histogram rise and there is one at least")
        self.bounds_s = tuple(bounds_s)
        self.sum = 0.0
        self._counts = [0] * (len(self.bounds_s) + 1)

    def observe(self, seconds: float, n: int = 1) -> None:
        """Count a duration `n` times; a bound belongs to the bucket below it. Below 0 is 0: clocks may be set back."""
        if n <= 0:
            return
        seconds = max(0.0, seconds)
        self._counts[bisect_left(self.bounds_s, seconds)] += n
        self.sum += seconds * n

    @property
    def count(self) -> int:
        """How many were observed."""
        return sum(self._counts)

    @property
    def buckets(self) -> list[tuple[float, int]]:
        """Each bound in seconds and how many took no longer; infinity stands last."""
        return list(zip((*self.bounds_s, float("inf")), accumulate(list(self._counts)), strict=True))

    def quantile(self, q: float) -> float | None:
        """Return the duration in seconds that the share `q` of all stays within, None before the first.

        Interpolated within its bucket, so it is right to a factor of two or so; beyond the last bound
        it is that bound.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
        buckets = self.buckets
        total = buckets[-1][1]
        if not total:
            return None
        rank = max(1, ceil(q * total))
        lower, before = 0.0, 0
        for bound, within in buckets[:-1]:
            if within >= rank:
                return lower + (bound - lower) * (rank - before) / (within - before)
            lower, before = bound, within
        return lower
