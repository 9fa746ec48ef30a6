"""Benign flows by host pair, attacks by time: the split that thresholds and the shipped model use.

Each attack family of CICIDS2017 is one instance between one pair of hosts, so a family that is to
be learnt at all has its instance on both sides: that column is named "later the same day" and is
optimistic. Recordings have many acts of a label: those go to one side each. Benign flows have two
thousand host pairs and are kept apart strictly.
"""

from collections.abc import Iterator

import numpy as np

from training.datasets.table import FlowTable
from training.splits.parts import Rows, Split

TRAIN, CALIBRATION, TEST = 0, 1, 2
LEAST_ACTS = 3
"""One for each part; with fewer, an act is cut by time."""


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
    before it calibration, the rest train. Where a label has several acts in a recording, whole acts
    go by their beginning, so that the shares come out as near as they can. Whole benign host pairs
    go, largest first, to the part that is furthest below its share; pairs of one size in an order
    drawn from `seed`. Rows that would put a 5-tuple into a later part than its first are purged;
    families that are not learnt have all their rows in test. `benign` gives benign rows calibration
    and test shares of their own: how small a false-positive rate can be vouched for depends on them
    alone. Train keeps at most `train_rows_per_label` attack rows of a label, evenly spread over its
    train time: a flood repeats itself, and thins out to no loss.
    """
    part = np.full(len(table), TEST, dtype=np.int8)
    shares = np.array([1.0 - calibration - test, calibration, test])
    own = shares if benign is None else np.array([1.0 - sum(benign), *benign])
    _assign_pairs(part, table, np.flatnonzero(table.benign), own, seed)
    learnt = table.target > 0
    for rows in _stretches(table, learnt):
        cuts = _cuts(table.episodes[rows], np.cumsum(shares[:2]))
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


def _stretches(table: FlowTable, learnt: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Iterator[Rows]:
    """Yield the rows that are cut by time: of a label in a recording by its acts, else of an instance."""
    told = len(table.episode) == len(table)
    one = table.label.astype(np.int64) * len(table.sources) + table.source if told else table.instance
    for number in np.unique(one[learnt]):
        rows = np.flatnonzero(learnt & (one == number))
        if not told:
            yield rows[np.argsort(table.time_ns[rows], kind="stable")]
            continue
        acts, member = np.unique(table.episodes[rows], return_inverse=True)
        begun = np.full(len(acts), np.iinfo(np.int64).max)
        np.minimum.at(begun, member, table.time_ns[rows])
        order = np.lexsort((table.time_ns[rows], acts[member], begun[member]))
        if len(acts) >= LEAST_ACTS:
            yield rows[order]
        else:
            yield from (rows[order][acts[member][order] == act] for act in acts)


def _cuts(episodes: Rows, shares: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[int]:
    """Return where train and calibration end: between two acts if there are enough, else anywhere."""
    exact = np.round(shares * len(episodes)).astype(int)
    borders = np.flatnonzero(np.diff(episodes)) + 1
    if len(borders) + 1 < LEAST_ACTS:
        return [int(cut) for cut in exact]
    first = int(borders[:-1][np.argmin(np.abs(borders[:-1] - exact[0]))])
    later = borders[borders > first]
    return [first, int(later[np.argmin(np.abs(later - exact[1]))])]


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
