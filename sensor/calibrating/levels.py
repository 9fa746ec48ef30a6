"""The scores of all flows, however many: how many there are of each millionth."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.calibration import MAX_LEVELS, Table

TOP: Final = 1_000_000


class Levels:
    """Counts flows by score, in millionths, in eight megabytes."""

    def __init__(self) -> None:
        """Begin without a flow."""
        self._counts = np.zeros(TOP + 1, np.int64)

    def add(self, ppm: NDArray[np.uint32]) -> None:
        """Count flows, (n,), each 0 to 1,000,000."""
        np.add.at(self._counts, ppm, 1)

    @property
    def flows(self) -> int:
        """How many flows there are."""
        return int(self._counts.sum())

    def reaching(self, ppm: int) -> int:
        """Return how many flows score so high or higher."""
        return int(self._counts[ppm:].sum())

    def next_below(self, ppm: int) -> int | None:
        """Return the highest score below one that any flow has, None when there is none."""
        seen = np.flatnonzero(self._counts[:ppm])
        return int(seen[-1]) if len(seen) else None

    def table(self) -> Table:
        """Return (score, share of flows that score as high or higher), highest score first; there must be a flow.

        At most 256 entries, dense where it matters: their ranks are spaced by a constant factor, from the highest
        score to the lowest. A score lies half a millionth below what it stands for, so that rounding decides nothing.
        """
        at_least = self._counts[::-1].cumsum()[::-1]
        flows = int(at_least[0])
        wanted = np.unique(np.geomspace(1, flows, MAX_LEVELS).round().astype(np.int64))
        # at_least falls as the score rises: the highest score that so many flows reach.
        scores = TOP - np.searchsorted(at_least[::-1], wanted, side="left")
        return tuple((score_of(int(ppm)), int(at_least[ppm]) / flows) for ppm in np.unique(scores)[::-1].tolist())


def score_of(ppm: int) -> float:
    """Return the lowest score, 0 to 1, that is so many millionths when rounded."""
    return max(ppm - 0.5, 0) / TOP
