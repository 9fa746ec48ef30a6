"""Leave one attack family out: what becomes of an attack that nobody has learnt."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from training.datasets.table import FlowTable
from training.splits.parts import Split


def families(table: FlowTable) -> list[str]:
    """Return the attack families that are learnt, sorted by name."""
    learnt = table.target > 0
    return sorted(set(table.family[learnt].tolist()))


def leave_one_family_out(base: Split, table: FlowTable) -> Iterator[Split]:
    """Yield one split per learnt family: none of its rows in train or calibration.

    The benign rows stay where `base` has them. The test part is the benign test rows and the
    family's own test rows; a base row of the family in another part is purged, so that a choice
    made on those rows (see `held_back`) has not seen the test either. A family without rows to
    choose by or to report on is passed over.
    """
    family = table.family
    benign = table.benign
    for name in families(table):
        own = family == name
        if not (own[base.calibration].any() and own[base.test].any()):
            continue
        train = base.train[~own[base.train]]
        calibration = base.calibration[~own[base.calibration]]
        test = base.test[(own | benign)[base.test]]
        yield replace(
            base,
            column="leave one family out",
            train=train,
            calibration=calibration,
            test=test,
            purged=np.setdiff1d(np.arange(len(table)), np.concatenate([train, calibration, test])),
            unseen=(name,),
        )


def held_back(base: Split, split: Split, table: FlowTable) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the calibration rows of a left-out family, on which candidates may be compared."""
    own = np.isin(table.family, split.unseen)
    return base.calibration[own[base.calibration]]
