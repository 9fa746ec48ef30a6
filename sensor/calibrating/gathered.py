"""What is kept of traffic to calibrate with: counts of all flows, and the flows that may alert."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.calibrating.levels import Levels
from sensor.calibrating.period import Period
from sensor.rulebook.addresses import AddressSet
from sensor.traffic import ROW, Batch, ended

MAX_ROWS: Final = 1_000_000
"""Each takes 110 bytes, and some copies are made."""


class Gathered:
    """Traffic, added up.

    Attributes:
        levels: the scores of all flows that have ended.
        period: the time that they took.
        floor_ppm: below this score no flow was kept, for want of memory; no threshold below it can be judged.
        set_aside: flows that were left out because of their addresses.
    """

    def __init__(self, max_rows: int = MAX_ROWS, leave_out: AddressSet | None = None) -> None:
        """Begin without traffic.

        At most so many flows are kept, those that score highest. Flows from or to some addresses can be left out,
        as if nobody had sent them: attacks that were found in the traffic. Their time counts as seen.
        """
        self.set_aside = 0
        self._leave_out = leave_out
        self.levels = Levels()
        self.period = Period()
        self.floor_ppm = 0
        self._max_rows = max_rows
        self._parts: list[NDArray[np.void]] = []
        self._kept = 0

    def add(self, batch: Batch) -> None:
        """Take in a batch."""
        rows = batch.rows
        self.period.add(rows["start_ns"], rows["end_ns"])
        if self._leave_out is not None:
            aside = np.logical_or(*(self._leave_out.mask(rows["ip_version"], rows[side]) for side in ("src", "dst")))
            self.set_aside += int(np.count_nonzero(aside & ended(rows)))
            rows = rows[~aside]
        self.levels.add(rows["ppm"][ended(rows)])
        kept = rows[rows["ppm"] >= self.floor_ppm]
        self._parts.append(kept)
        self._kept += len(kept)
        if self._kept > self._max_rows:
            self._raise_floor()

    def rows(self) -> NDArray[np.void]:
        """Return the flows that were kept, ROW[n], in the order in which they came."""
        whole = np.concatenate(self._parts) if self._parts else np.empty(0, ROW)
        self._parts = [whole]
        return whole

    def _raise_floor(self) -> None:
        """Let the lower half go, and of flows that score alike all or none."""
        rows = self.rows()
        self.floor_ppm = int(np.partition(rows["ppm"], len(rows) // 2)[len(rows) // 2]) + 1
        kept = rows[rows["ppm"] >= self.floor_ppm]
        self._parts, self._kept = [kept], len(kept)
