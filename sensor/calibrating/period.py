"""How much time was seen: from the first packet to the last, without the hours in which nobody listened."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR_NS: Final = 3_600_000_000_000
DAY_NS: Final = 24 * HOUR_NS


class Period:
    """The union of the times of flows, with what lies less than an hour between two of them."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._spans: list[tuple[int, int]] = []

    def add(self, start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]) -> None:
        """Take in flows, int64 (n,) each, ns since 1970; one that ends before it begins counts at its end."""
        if not len(start_ns):
            return
        order = np.argsort(start_ns, kind="stable")
        starts, ends = start_ns[order], np.maximum.accumulate(np.maximum(end_ns, start_ns)[order])
        cut = np.flatnonzero(starts[1:] > ends[:-1] + HOUR_NS) + 1
        first, last = np.append(0, cut), np.append(cut, len(starts)) - 1
        self._join(list(zip(starts[first].tolist(), ends[last].tolist(), strict=True)))

    def halves(self) -> tuple["Period", "Period"]:
        """Return the earlier and the later half of the time that was seen; the earlier ends where the later begins."""
        earlier, later = Period(), Period()
        left = sum(end - start for start, end in self._spans) // 2
        for start, end in self._spans:
            cut = min(end, start + left)
            left -= cut - start
            if cut > start:
                earlier._spans.append((start, cut))
            if end > cut:
                later._spans.append((cut, end))
        return earlier, later

    def join(self, other: "Period") -> None:
        """Take in what another has seen."""
        self._join(other._spans)

    def _join(self, spans: list[tuple[int, int]]) -> None:
        joined: list[tuple[int, int]] = []
        for start, end in sorted(self._spans + spans):
            if joined and start <= joined[-1][1] + HOUR_NS:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        self._spans = joined

    @property
    def first_ns(self) -> int:
        """When the first packet came; 0 before anything was seen."""
        return self._spans[0][0] if self._spans else 0

    @property
    def last_ns(self) -> int:
        """When the last one did."""
        return self._spans[-1][1] if self._spans else 0

    @property
    def days(self) -> float:
        """How many days were seen."""
        return sum(end - start for start, end in self._spans) / DAY_NS

    @property
    def gaps(self) -> int:
        """How often nothing was seen for more than an hour."""
        return max(0, len(self._spans) - 1)
