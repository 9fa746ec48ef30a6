"""Drift: how far today's flows lie from the benign flows of training, in scores and in features.

    drift = Drift(detector.meta)
    drift.add(features, scores.score)      # every batch
    drift.gauges()                         # {"score": 0.03, "features": 0.11, "worst": 0.46}
    drift.worst()                          # [("down_up_ratio", 0.46), ...]

Each distance is that of Kolmogorov and Smirnov: the largest difference between two cumulative
distributions, 0 (alike) to 1 (apart), taken at the points that the bundle knows: the scores of its
calibration table, and for a feature the deciles of its benign training rows, each from both sides, so
that a value which most flows share is compared by its exact mass. A bundle without deciles has
medians only, of which it is known that no more than half of the rows lie on either side: then a
feature's distance is the least that it can be, at most one half.

Today's flows are all flows, attacks among them: nobody says which are benign. A sample of one in 16
is looked at (all of the first thousand), and what was seen counts half as much 20,000 flows later.
The distance of two samples from one distribution is not 0 but about 1 / sqrt(n), here up to 0.05.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sensor.detector import BundleMeta
from sensor.features import FeatureSet

HALF_LIFE_FLOWS: Final = 20_000
"""A busy link forgets its night within minutes, a quiet one keeps a day."""
STRIDE: Final = 16
"""Of so many flows one is looked at."""
LEAST_FLOWS: Final = 256
"""Flows looked at before a distance is told: of fewer it would mostly be noise."""
EAGER_FLOWS: Final = 1024
"""Of the first flows each is looked at, so that a quiet network need not wait."""
_FOLD_ROWS: Final = 64
_COUNTED_ROWS: Final = 255
_OFFSETS: Final = tuple(random.Random(0).choices(range(STRIDE), k=1021))

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What is known of training: points, whose they are, and bounds of the shares around them.

    `names` are those of the features that have points, `basis` what these are. `points` float32 (p,), those
    of one feature together; `feature` int64 (p,), its column; `low` and `high` float64 (2, p) bound the share
    of rows below a point, and at or below it.
    """

    points: NDArray[np.float32]
    feature: NDArray[np.int64]
    low: Floats
    high: Floats
    names: tuple[str, ...]
    basis: Literal["quantiles", "medians"]

    @classmethod
    def of(cls, meta: BundleMeta) -> Self:
        """Return what a bundle knows: exact shares at quantiles, or the bounds that a median sets."""
        if any(meta.quantiles):
            edges = [(at, edge) for at, row in enumerate(meta.quantiles) for edge in row]
            points = [edge.value for _, edge in edges]
            exact = np.array([[edge.below for _, edge in edges], [edge.within for _, edge in edges]])
            feature = np.array([at for at, _ in edges], np.int64)
            return cls(np.array(points, np.float32), feature, exact, exact, _names(meta, feature), "quantiles")
        k = len(meta.medians)
        low, high = np.repeat([[0.0], [0.5]], k, axis=1), np.repeat([[0.5], [1.0]], k, axis=1)
        feature = np.arange(k)
        return cls(np.array(meta.medians, np.float32), feature, low, high, _names(meta, feature), "medians")

    def only(self, names: Collection[str]) -> Self:
        """Return the same for some features, those without points among them left out."""
        column = dict(zip(dict.fromkeys(self.feature.tolist()), self.names, strict=True))
        kept = np.array([column[at] in names for at in self.feature.tolist()], bool)
        return replace(
            self,
            points=self.points[kept],
            feature=self.feature[kept],
            low=self.low[:, kept],
            high=self.high[:, kept],
            names=tuple(name for name in self.names if name in names),
        )

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where the points of each feature that has any begin."""
        return np.flatnonzero(np.diff(self.feature, prepend=-1) != 0)

    def counted(self, rows: NDArray[np.float32]) -> Floats:
        """Return of rows (n, k) how many lie below, and at or below, each point: (2, p)."""
        counts = np.zeros((2, len(self.points)))
        for start in range(0, len(rows), _COUNTED_ROWS):
            seen = rows[start : start + _COUNTED_ROWS].take(self.feature, axis=1)
            # Sums of bytes, four times as fast as sums of truth values.
            counts[0] += np.add.reduce((seen < self.points).view(np.uint8), axis=0, dtype=np.uint8)
            counts[1] += np.add.reduce((seen <= self.points).view(np.uint8), axis=0, dtype=np.uint8)
        return counts

    def distances(self, shares: Floats) -> Floats:
        """Return the distance of each feature that has points, from the shares (2, p) seen today; (0,) without any."""
        outside = np.maximum(np.maximum(self.low - shares, shares - self.high), 0).max(axis=0)
        return np.maximum.reduceat(outside, self.starts)


def _names(meta: BundleMeta, feature: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the name of each feature that is watched, `feature` being the column of each point."""
    known = FeatureSet.available()
    names = [one.name for one in FeatureSet.load(meta.feature_set).features] if meta.feature_set in known else []
    return tuple(names[at] if at < len(names) else f"feature {at}" for at in dict.fromkeys(feature.tolist()))


class Drift:
    """Watches flows as they are scored. One thread adds; any other may ask at the same time."""

    def __init__(self, meta: BundleMeta, *, half_life_flows: int = HALF_LIFE_FLOWS) -> None:
        """Compare with what a bundle says of its training."""
        self._reference = Reference.of(meta)
        self.basis = self._reference.basis
        # The table falls in score and says which share reaches one; the share below it is the rest.
        ascending = meta.calibration[::-1]
        self._levels = np.array([score for score, _ in ascending], np.float32)
        self._below = 1 - np.array([share for _, share in ascending])
        self._half_life = half_life_flows
        self._flows = 0
        self._block = EAGER_FLOWS // STRIDE
        self._looked = 0
        self._waiting: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self._waiting_rows = 0
        self._folded_at = 0
        # One tuple, replaced whole: whoever reads it from another thread has parts that belong together.
        self._state = (0.0, np.zeros((2, len(self._reference.points))), np.zeros(len(self._levels)))

    def add(self, features: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        """Look at some of n flows: raw features float32 (n, k), scores float32 (n,). n may be 0."""
        rows = self._drawn(len(scores))
        self._flows += len(scores)
        if rows:
            self._waiting.append((features[rows], scores[rows]))
            self._waiting_rows += len(rows)
        if self._waiting_rows >= _FOLD_ROWS:
            self._fold()

    def gauges(self) -> dict[str, float]:
        """Return the distances of the scores, of the features on average, and of the worst feature.

        Nothing before `LEAST_FLOWS` flows were looked at.
        """
        total, features, scores = self._state
        if self._looked < LEAST_FLOWS:
            return {}
        distances = self._reference.distances(features / total)
        return {
            "score": float(np.abs(scores / total - self._below).max()),
            "features": float(distances.mean()),
            "worst": float(distances.max()),
        }

    def worst(self, top: int = 5) -> list[tuple[str, float]]:
        """Return the features that lie farthest away and their distances, at most `top`."""
        total, features, _ = self._state
        if self._looked < LEAST_FLOWS:
            return []
        distances = self._reference.distances(features / total)
        order = np.argsort(-distances, kind="stable")[:top].tolist()
        return [(self._reference.names[at], float(distances[at])) for at in order if distances[at] > 0]

    def _drawn(self, n: int) -> list[int]:
        """Return which of the next n flows to look at: the first ones all, then one at random of every 16.

        The same ones in every run, and however the flows are cut into batches.
        """
        first, end = self._flows, self._flows + n
        rows = list(range(min(n, max(0, EAGER_FLOWS - first))))
        while (at := self._block * STRIDE + _OFFSETS[self._block % len(_OFFSETS)]) < end:
            rows.append(at - first)
            self._block += 1
        return rows

    def _fold(self) -> None:
        """Let what was seen fade by the flows that have passed since, and count the waiting rows in."""
        features = np.concatenate([rows for rows, _ in self._waiting])
        scores = np.sort(np.concatenate([rows for _, rows in self._waiting]))
        self._waiting.clear()
        passed, self._folded_at = self._flows - self._folded_at, self._flows
        kept = 0.5 ** (passed / self._half_life)
        # A row stands for the flows that it was drawn from.
        weight = passed / self._waiting_rows
        total, old_features, old_scores = self._state
        self._state = (
            total * kept + passed,
            old_features * kept + weight * self._reference.counted(features),
            old_scores * kept + weight * np.searchsorted(scores, self._levels),
        )
        self._looked += self._waiting_rows
        self._waiting_rows = 0
