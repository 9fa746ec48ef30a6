"""The three parts of a split, and the audit that they do not touch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.datasets.table import INSTANCES, FlowTable

Rows = npt.NDArray[np.int64]
Column = Literal["later the same day", "another day", "mixed sources", "leave one family out", "another source"]


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of one table by what they may be used for.

    `train` fits weights and preprocessing; `calibration` stops training early and sets thresholds;
    `test` only reports: nothing is chosen by it. `purged` rows stand on the wrong side of a border (their
    5-tuple or host pair is already on the other) and belong to none. `unseen` are the families that
    train and calibration hold no row of. `timed` are the sources that are cut by time and host pair
    where others are cut by the day.
    """

    column: Column
    train: Rows
    calibration: Rows
    test: Rows
    purged: Rows
    unseen: tuple[str, ...] = ()
    timed: tuple[str, ...] = ()


def violations(split: Split, table: FlowTable) -> list[str]:
    """Return a sentence for every way in which the parts of a split touch; empty when sound.

    Looked at: rows in two parts, 5-tuples in two parts, benign host pairs in two parts (not by the
    day: the same people come back), an attack instance whose rows of a later part start before its
    rows of an earlier part have all started, and rows of an unseen family outside the test part.
    """
    parts = {"train": split.train, "calibration": split.calibration, "test": split.test}
    names = list(parts)
    found: list[str] = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            a, b = table.rows(parts[one]), table.rows(parts[other])
            shared = {
                "rows": np.intersect1d(parts[one], parts[other]),
                "5-tuples": np.intersect1d(a.tuple_key, b.tuple_key),
            }
            shared["benign host pairs"] = np.intersect1d(_pairs(a, split), _pairs(b, split))
            found += [
                f"{len(values)} {what} are in both {one} and {other}" for what, values in shared.items() if len(values)
            ]
            found += _out_of_order(a, b, one, other)
    families = table.family
    for family in split.unseen:
        seen = np.concatenate([split.train, split.calibration])
        if rows := int((families[seen] == family).sum()):
            found.append(f"{rows} rows of the unseen family {family} are in train or calibration")
    return found


def _pairs(part: FlowTable, split: Split) -> npt.NDArray[np.uint64]:
    """Return the host pairs of benign rows that may stand in no other part: none of whole days."""
    if split.column == "another day":
        return part.pair_key[:0]
    own = part.benign & np.isin(part.origin, split.timed) if split.timed else part.benign
    return part.pair_key[own]


def _out_of_order(a: FlowTable, b: FlowTable, one: str, other: str) -> list[str]:
    """Return a sentence per attack instance whose later part does not start later."""
    found = []
    shared = np.intersect1d(a.instance[~a.benign], b.instance[~b.benign])
    for instance in shared:
        last = a.time_ns[a.instance == instance].max()
        first = b.time_ns[b.instance == instance].min()
        if first < last:
            name = a.labels[int(instance) // INSTANCES]
            found.append(f"{name}: {other} rows start before the last row of {one}")
    return found
