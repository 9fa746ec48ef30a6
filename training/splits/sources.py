"""Leaving sources out: what is learnt from one kind of data and worth on another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from training.datasets.table import FlowTable
from training.splits.parts import Rows, Split

Groups = Mapping[str, tuple[str, ...]]
"""Sources by the name under which they are learnt from and judged together."""


def groups(table: FlowTable, days: Sequence[str], days_name: str) -> dict[str, tuple[str, ...]]:
    """Return the kinds of data that a table holds: the recordings in `days` as one, every other source alone."""
    together = tuple(name for name in table.sources if name in days)
    found = {days_name: together} if together else {}
    return found | {name: (name,) for name in table.sources if name not in days}


def learnt_from_one(base: Split, table: FlowTable, kinds: Groups) -> Iterator[tuple[str, Split]]:
    """Yield one split per kind of data: train and calibration hold its rows alone, test those of all kinds.

    Rows of other kinds that `base` learns from are purged; its calibration rows may be chosen by (see
    `calibration_of`), its test rows only report. A kind without attacks to learn is passed over.
    """
    origin, attack = table.origin, table.target > 0
    for name, sources in kinds.items():
        own = np.isin(origin, sources)
        train, calibration = base.train[own[base.train]], base.calibration[own[base.calibration]]
        if not (attack[train].any() and table.benign[train].any() and table.benign[calibration].any()):
            continue
        yield (
            name,
            replace(
                base,
                column="another source",
                train=train,
                calibration=calibration,
                purged=np.setdiff1d(np.arange(len(table)), np.concatenate([train, calibration, base.test])),
            ),
        )


def calibration_of(base: Split, table: FlowTable, sources: Sequence[str]) -> Rows:
    """Return the calibration rows of some sources."""
    return base.calibration[np.isin(table.origin[base.calibration], sources)]


def reported_of(base: Split, table: FlowTable, sources: Sequence[str]) -> Rows:
    """Return the test rows of some sources."""
    return base.test[np.isin(table.origin[base.test], sources)]
