"""How scores are spread, by the levels of a calibration table, and how far two spreads lie apart.

Compared are scores below the threshold: what lies above is counted as alerts, and a flood that was found would
otherwise look like a network that has changed.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sensor.calibration import Table

BINS: Final = 10
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Levels by rising score, and the share of flows below each, of those below the threshold.

    `levels` float64 (m,), in millionths, the threshold last. `below` float64 (m,), the last is 1; all zero where the
    table says that no flow is below the threshold.
    """

    levels: NDArray[np.float64]
    below: NDArray[np.float64]

    @classmethod
    def of(cls, table: Table, threshold: float) -> Self:
        """Return what a table (score, share of flows that score as high or higher) says."""
        rising = [(score, 1 - share) for score, share in table[::-1]]
        under = [entry for entry in rising if entry[0] < threshold]
        over = [entry for entry in rising if entry[0] >= threshold]
        # Without a level above the threshold no flow was seen there.
        whole = over[0][1] if over else 1.0
        levels = np.array([*(score for score, _ in under), threshold]) * 1e6
        below = np.array([*(share for _, share in under), whole])
        return cls(levels, below / whole if whole > 0 else below * 0)

    def counted(self, ppm: NDArray[np.uint32]) -> Counts:
        """Return of scores in millionths, (n,), how many lie below each level, int64 (m,)."""
        return np.searchsorted(np.sort(ppm), self.levels - 1e-6).astype(np.int64)

    def distance(self, counts: Counts) -> float:
        """Return the largest difference of the two cumulative shares (Kolmogorov, Smirnov), 0 to 1."""
        if not counts[-1] or not self.below[-1]:
            return 1.0 if counts[-1] != self.below[-1] else 0.0
        return float(np.abs(counts / counts[-1] - self.below).max())

    def stability(self, counts: Counts) -> float:
        """Return the population stability index: the sum of (p - q) ln(p / q) over bins, 0 and more.

        The symmetric divergence of Jeffreys (Proc. R. Soc. A 186, 1946) as scorecards use it (Siddiqi, Credit Risk
        Scorecards, 2006), over at most ten bins of like shares in the table. Half a flow is added to each bin, so
        that an empty one is not infinitely far. 0 where nothing is below the threshold, here or there: the distance
        says what there is to say.
        """
        if not counts[-1] or not self.below[-1]:
            return 0.0
        edges = self._edges()
        expected = np.diff(self.below[edges], prepend=0)
        seen = np.diff(counts[edges], prepend=0) + 0.5
        seen = seen / seen.sum()
        expected = np.maximum(expected, 1e-6)
        return float(((seen - expected) * np.log(seen / expected)).sum())

    def _edges(self) -> NDArray[np.int64]:
        """Return the places of levels that cut the table into bins, the last level always among them."""
        wanted = np.arange(1, BINS) / BINS
        places = np.searchsorted(self.below, wanted)
        places = places[(places < len(self.below) - 1) & (self.below[np.minimum(places, len(self.below) - 1)] < 1)]
        return np.append(np.unique(places[self.below[places] > 0]), len(self.below) - 1)
