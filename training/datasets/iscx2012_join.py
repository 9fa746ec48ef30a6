"""Labels of ISCXIDS2012's records for flows of our own engine: one clock for both, then 5-tuple and time."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.features.iscx import SECOND_NS
from training.datasets.conversations import Key, spans

MOST_PAIRS = 64
"""A 5-tuple with more pairs of record and flow than this tells nothing of the clock."""
LEAST_MATCHES = 3
LEAST_SHARE = 0.25
QUARTER_S = 900
"""Offsets from UTC are whole quarters of an hour: of two that fit equally, such a one is right."""
SLACK_NS = SECOND_NS
"""The records know whole seconds, and end a flow by other rules."""

NO_RECORD = "no record has the flow's 5-tuple at its time"
TWO_LABELS = "records of two labels share the flow"


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the records' clock is ahead of UTC, in seconds, and how many of the 5-tuples in both say so.

    `tuples` is 0 where the offset was set and not estimated.
    """

    seconds: int
    matches: int = 0
    tuples: int = 0

    def __str__(self) -> str:
        sign, rest = "-" if self.seconds < 0 else "+", abs(self.seconds)
        text = f"{sign}{rest // 3600:02}:{rest // 60 % 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")
        return f"{text} ({self.matches} of {self.tuples} shared 5-tuples say so)" if self.tuples else f"{text} (set)"


@dataclass(frozen=True, slots=True)
class Joined:
    """Which record each flow belongs to: `rows` (n,) int64, -1 for none, and what found no partner.

    `dropped` counts flows by reason, `unmatched` the records that no flow belongs to.
    """

    rows: npt.NDArray[np.int64]
    dropped: dict[str, int]
    unmatched: int


def estimate(records: npt.NDArray[np.void], flows: npt.NDArray[np.void], name: str) -> Offset:
    """Return the offset that most 5-tuples which records and flows share agree on.

    Every such 5-tuple has one vote, shared among the differences of its records' and flows' starts in
    whole seconds; flows that one side cut and the other did not scatter theirs.

    Raises:
        NettrusionError: too few 5-tuples are shared or agree; `name` is the file to name.
    """
    starts: dict[Key, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, table in enumerate((records[records["ip_version"] > 0], flows)):
        for key, start_ns, _ in spans(table):
            starts[key][side].append(start_ns // SECOND_NS)
    votes: dict[int, float] = defaultdict(float)
    shared = 0
    for ours, theirs in starts.values():
        pairs = len(ours) * len(theirs)
        if 0 < pairs <= MOST_PAIRS:
            shared += 1
            for said in ours:
                for was in theirs:
                    votes[said - was] += 1 / pairs
    best = max(votes, key=lambda gap: (round(votes[gap], 6), gap % QUARTER_S == 0, -abs(gap)), default=0)
    matches = votes.get(best, 0.0)
    if matches < LEAST_MATCHES or matches < LEAST_SHARE * shared:
        raise NettrusionError(
            f"{name}: the offset of its clock cannot be told: {shared} 5-tuples are in the capture too,"
            f" and {matches:.0f} agree on one; is it the capture of that day? An offset can be set in a file"
            " utc-offset.txt beside it, such as -03:00"
        )
    return Offset(best, round(matches), shared)


def join(records: npt.NDArray[np.void], flows: npt.NDArray[np.void], offset: Offset) -> Joined:
    """Find for each flow the record of its 5-tuple, either way round, that shares most time with it.

    Records with a second between them and the flow are partners only where none shares time with it.
    A flow whose partners have different labels has none.
    """
    shift = offset.seconds * SECOND_NS
    known: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
    places = np.flatnonzero(records["ip_version"] > 0)
    for place, (key, start_ns, end_ns) in zip(places.tolist(), spans(records[places]), strict=True):
        # Whole seconds, rounded down: the record ends within the second that it names.
        known[key].append((start_ns - shift, end_ns - shift + SECOND_NS, place))
    rows = np.full(len(flows), -1, dtype=np.int64)
    dropped = {NO_RECORD: 0, TWO_LABELS: 0}
    met = np.zeros(len(records), dtype=np.bool_)
    labels: Any = records["label"].tolist()
    for number, (key, start_ns, end_ns) in enumerate(spans(flows)):
        found = [(min(end, end_ns) - max(start, start_ns), place) for start, end, place in known.get(key, ())]
        near = [pair for pair in found if pair[0] >= 0] or [pair for pair in found if pair[0] >= -SLACK_NS]
        met[[place for _, place in near]] = True
        if not near:
            dropped[NO_RECORD] += 1
        elif len({labels[place] for _, place in near}) > 1:
            dropped[TWO_LABELS] += 1
        else:
            rows[number] = max(near, key=lambda pair: (pair[0], -pair[1]))[1]
    return Joined(rows, dropped, int((~met).sum()))
