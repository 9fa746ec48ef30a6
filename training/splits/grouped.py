"""Benign flows by host pair, attacks by time: the split that thresholds and the shipped model use.

Each attack family of CICIDS2017 is one instance between one pair of hosts, so a family that is to
be learnt at all has its instance on both sides: that column is named "later the same day" and is
optimistic. Benign flows have two thousand host pairs and are kept apart strictly.
"""

import numpy as np

from training.datasets.table import FlowTable
from training.splits.parts import Rows, Split

TRAIN, CALIBRATION, TEST = 0, 1, 2


def later_the_same_day(
    table: FlowTable,
    calibration: float = 0.25,
    test: float = 0.25,
    seed: int = 0,
    train_rows_per_label: int | None = None,
    benign: tuple[float, float] | None = None,
) -> Split:
    """Split benign rows by host pair and every attack instance by time.

    Within an attack instance the last `test` share of the rows is test, the `calibration` share
    before it calibration, the rest train. Whole benign host pairs go, largest first, to the part
    that is furthest below its share; pairs of one size in an order drawn from `seed`. Rows that
    would put a 5-tuple into a later part than its first are purged; families that are not learnt
    have all their rows in test. `benign` gives benign rows calibration and test shares of their
    own: how small a false-positive rate can be vouched for depends on them alone. Train keeps at
    most `train_rows_per_label` attack rows of a label, evenly spread over its train time: a flood
    repeats itself, and thins out to no loss.
    """
    part = np.full(len(table), TEST, dtype=np.int8)
    shares = np.array([1.0 - calibration - test, calibration, test])
    own = shares if benign is None else np.array([1.0 - sum(benign), *benign])
    _assign_pairs(part, table, np.flatnonzero(table.benign), own, seed)
    learnt = table.target > 0
    for instance in np.unique(table.instance[learnt]):
        rows = np.flatnonzero(learnt & (table.instance == instance))
        rows = rows[np.argsort(table.time_ns[rows], kind="stable")]
        cuts = np.round(np.cumsum(shares[:2]) * len(rows)).astype(int)
        part[rows[: cuts[0]]] = TRAIN
        part[rows[cuts[0] : cuts[1]]] = CALIBRATION
    keep = _earliest_part_only(part, table.tuple_key)
    if train_rows_per_label is not None:
        for label in np.unique(table.label[learnt]):
            rows = np.flatnonzero((table.label == label) & (part == TRAIN) & keep)
            if len(rows) > train_rows_per_label:
                kept = rows[np.linspace(0, len(rows) - 1, train_rows_per_label).astype(int)]
                keep[np.setdiff1d(rows, kept)] = False
    return Split(
        column="later the same day",
        train=np.flatnonzero((part == TRAIN) & keep),
        calibration=np.flatnonzero((part == CALIBRATION) & keep),
        test=np.flatnonzero((part == TEST) & keep),
        purged=np.flatnonzero(~keep),
    )


def _assign_pairs(
    part: "np.ndarray[tuple[int], np.dtype[np.int8]]",
    table: FlowTable,
    rows: Rows,
    shares: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    seed: int,
) -> None:
    """Give whole host pairs to parts so that each part comes close to its share of the rows."""
    pairs, member, sizes = np.unique(table.pair_key[rows], return_inverse=True, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(pairs))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    filled = np.zeros(3)
    home = np.empty(len(pairs), dtype=np.int8)
    for pair in order:
        home[pair] = np.argmin((filled + sizes[pair]) / shares)
        filled[home[pair]] += sizes[pair]
    part[rows] = home[member]


def _earliest_part_only(
    part: "np.ndarray[tuple[int], np.dtype[np.int8]]",
    tuple_key: "np.ndarray[tuple[int], np.dtype[np.uint64]]",
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return true for rows that are in the earliest part their 5-tuple occurs in."""
    _, member = np.unique(tuple_key, return_inverse=True)
    earliest = np.full(member.max(initial=-1) + 1, TEST, dtype=np.int8)
    np.minimum.at(earliest, member, part)
    return np.asarray(part == earliest[member])
