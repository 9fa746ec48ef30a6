"""By the day: whole recordings learn, set thresholds or report.

Days of the testbed differ in tools, settings and hosts, so nothing of a day is on two sides. The same
two hosts may well meet on several days; their connections are others.
"""

from collections.abc import Sequence

import numpy as np

from sensor.errors import NettrusionError
from training.datasets.table import FlowTable
from training.splits.parts import Rows, Split


def another_day(
    table: FlowTable,
    train: Sequence[str],
    calibration: Sequence[str],
    test: Sequence[str],
    train_rows_per_label: int | None = None,
) -> Split:
    """Give whole sources (recordings, or a release by its name) to the parts that they are listed for.

    Sources in no list are left out, and so are rows of families that are not learnt, but for those in
    test. Train keeps at most `train_rows_per_label` attack rows of a label, evenly spread over time.

    Raises:
        NettrusionError: a list is empty, names a source that the data has not, or one of another list.
    """
    lists = {"train": train, "calibration": calibration, "test": test}
    known = ", ".join(sorted(table.sources))
    listed: dict[str, str] = {}
    for part, names in lists.items():
        if not names:
            raise NettrusionError(f"split.{part}_days: no day named; there are {known}")
        for name in names:
            if name not in table.sources:
                raise NettrusionError(f"split.{part}_days: the data has no day {name}; there are {known}")
            if name in listed:
                raise NettrusionError(
                    f"split.{part}_days: {name} is in split.{listed[name]}_days as well; a day has one part"
                )
            listed[name] = part
    origin, learnt = table.origin, table.target >= 0
    rows = {part: np.flatnonzero(np.isin(origin, names) & (learnt | (part == "test"))) for part, names in lists.items()}
    if train_rows_per_label is not None:
        rows["train"] = _thinned(table, rows["train"], train_rows_per_label)
    taken = np.concatenate(list(rows.values()))
    return Split(
        column="another day",
        train=rows["train"],
        calibration=rows["calibration"],
        test=rows["test"],
        purged=np.setdiff1d(np.arange(len(table)), taken),
    )


def _thinned(table: FlowTable, rows: Rows, limit: int) -> Rows:
    """Return the rows with at most so many of each attack label."""
    kept = [rows[table.benign[rows]]]
    for label in np.unique(table.label[rows]):
        own = rows[(table.label[rows] == label) & ~table.benign[rows]]
        kept.append(own if len(own) <= limit else own[np.linspace(0, len(own) - 1, limit).astype(int)])
    return np.sort(np.concatenate(kept))
