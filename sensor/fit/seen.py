"""What was seen in one stretch of time, added up."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sensor.calibrating import Period
from sensor.fit.standard import Standard
from sensor.traffic import ended


@dataclass(slots=True, eq=False)
class Seen:
    """Counts of one hour or of several.

    Attributes:
        start_ns: when the stretch begins, packet time.
        flows: flows that ended in it.
        scores: how many of them lie below each level of the standard's spread, None before the first.
        looked: flows below the threshold whose features are known.
        points: of these, how many lie below, and at or below, each point of the standard's features (2, p).
        reaching: flows that reach the threshold, by class.
        alerts: alerts, by class.
        period: the time of these flows.
    """

    start_ns: int
    flows: int = 0
    scores: NDArray[np.int64] | None = None
    looked: int = 0
    points: NDArray[np.float64] | None = None
    reaching: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    period: Period = field(default_factory=Period)

    def add(self, rows: NDArray[np.void], features: NDArray[np.float32] | None, standard: Standard) -> None:
        """Take in ROW[n] and, where they are known, their features, (n, k)."""
        self.period.add(rows["start_ns"], rows["end_ns"])
        over = ended(rows)
        rows = rows[over]
        self.flows += len(rows)
        counted = standard.spread.counted(rows["ppm"])
        self.scores = counted if self.scores is None else self.scores + counted
        reach = rows["ppm"] >= standard.threshold_ppm
        names, numbers = np.unique(rows["class"][reach], return_counts=True)
        for name, number in zip(names.tolist(), numbers.tolist(), strict=True):
            self.reaching[standard.classes[name]] += number
        if features is not None:
            quiet = features[over][~reach]
            points = standard.features.counted(quiet)
            self.looked += len(quiet)
            self.points = points if self.points is None else self.points + points

    def join(self, other: "Seen") -> None:
        """Take in a later stretch."""
        self.flows += other.flows
        self.looked += other.looked
        if other.scores is not None:
            self.scores = other.scores if self.scores is None else self.scores + other.scores
        if other.points is not None:
            self.points = other.points if self.points is None else self.points + other.points
        self.reaching.update(other.reaching)
        self.alerts.update(other.alerts)
        self.period.join(other.period)
