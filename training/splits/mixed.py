"""Sources of two kinds at once: recordings by whole days, releases by time within themselves.

A recording of the testbed can be made anew for every part, so a day has one part. A published release
cannot: nearly each of its attack families has one day, so it is cut by time, and its benign flows by
host pair.
"""

from collections.abc import Callable, Sequence

import numpy as np

from sensor.errors import NettrusionError
from training.datasets.table import FlowTable
from training.splits.parts import Rows, Split

Cut = Callable[[FlowTable], Split]
PARTS = ("train", "calibration", "test")


def mixed(table: FlowTable, days: Split, timed: Sequence[str], cut: Cut) -> Split:
    """Return a split with the rows of `timed` sources as `cut` has them, each cut by itself; others as `days` has them.

    Raises:
        NettrusionError: `timed` is empty, names a source that the data has not, or one that has a part as a day.
    """
    if not timed:
        raise NettrusionError('split.timed: names no source; with by = "mixed" it says what is cut by time')
    parts: dict[str, list[Rows]] = {part: [getattr(days, part)] for part in PARTS}
    for name in timed:
        if name not in table.sources:
            known = ", ".join(sorted(table.sources))
            raise NettrusionError(f"split.timed: the data has no source {name}; there are {known}")
        own = np.flatnonzero(table.origin == name)
        if any(np.isin(own, rows[0]).any() for rows in parts.values()):
            raise NettrusionError(f"split.timed: {name} is in a list of days as well; a source has one way to be cut")
        inside = cut(table.rows(own))
        for part, rows in parts.items():
            rows.append(own[getattr(inside, part)])
    joined = {part: np.sort(np.concatenate(rows)) for part, rows in parts.items()}
    return Split(
        column="mixed sources",
        train=joined["train"],
        calibration=joined["calibration"],
        test=joined["test"],
        purged=np.setdiff1d(np.arange(len(table)), np.concatenate(list(joined.values()))),
        timed=tuple(timed),
    )
