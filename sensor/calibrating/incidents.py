"""The alerts that traffic would make at a threshold: what the rules in force make of the flows that reach it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.calibrating.levels import score_of
from sensor.calibration import Table, ranks
from sensor.rulebook import Reading, Rulebook, ScoredFlows, Verdict
from sensor.traffic import flows_of, linked

CHUNK: Final = 4096


class Counting:
    """Judges the same flows again and again, at one threshold after the other.

    Rules that ask for none of the detector's bits alert whatever the threshold is: not counted are those of their
    alerts that are on flows below it.
    """

    def __init__(self, reading: Reading, rows: NDArray[np.void], classes: tuple[str, ...], table: Table) -> None:
        """Judge ROW[n] by rules; `table` is what ranks are read off."""
        self._reading = reading
        self._rows = linked(rows)
        self._classes = classes
        self._table = table
        self._known: dict[int, Mapping[str, int]] = {}

    @property
    def scores_ppm(self) -> NDArray[np.uint32]:
        """The scores that there are, each once, rising."""
        return np.unique(self._rows["ppm"])

    def alerts(self, ppm: int) -> Mapping[str, int]:
        """Return how many alerts there are with the threshold at a score, by the class of the flow told of."""
        if ppm not in self._known:
            self._known[ppm] = Counter(name for _, name in self.told(ppm))
        return self._known[ppm]

    def told(self, ppm: int) -> list[tuple[int, str]]:
        """Return these alerts one by one: when the flow told of ended, ns since 1970, and its class."""
        verdicts = (verdict for verdict in self._judged(ppm) if not verdict.update)
        return [(int(verdict.flow["end_ns"]), verdict.class_name) for verdict in verdicts]

    def _judged(self, ppm: int) -> Iterator[Verdict]:
        rows = self._rows[self._rows["ppm"] >= ppm]
        rulebook = Rulebook(self._reading)
        for part in np.split(rows, np.flatnonzero(np.diff(rows["segment"])) + 1):
            for at in range(0, len(part), CHUNK):
                yield from rulebook.judge(self._scored(part[at : at + CHUNK], ppm))
            yield from rulebook.close()

    def _scored(self, rows: NDArray[np.void], ppm: int) -> ScoredFlows:
        scores = rows["ppm"].astype(np.int64)
        return ScoredFlows(
            flows=flows_of(rows),
            score_permille=np.rint(scores / 1000).astype(np.int64),
            above=np.ones(len(rows), np.bool_),
            class_index=rows["class"].astype(np.int64),
            class_names=self._classes,
            budget_rank=ranks(self._table, (scores / 1e6).astype(np.float32)),
            threshold_permille=round(score_of(ppm) * 1000),
        )
