"""What can be judged: a bundle, any function of features, or what a detector said at the time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.detector import Detector
from sensor.errors import NettrusionError
from training.evaluation.evidence import Evidence

if TYPE_CHECKING:
    from sensor.features import FeatureSet

Floats = npt.NDArray[np.float64]
Probability = npt.NDArray[np.float32]
ANY = ("benign", "anomaly")
"""The classes of a detector that knows none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged.

    Attributes:
        name: what it is called.
        score: evidence of n rows -> scores (n,), 0 to 1, and class probabilities (n, C) or None.
        classes: names of the classes, the first is benign.
        threshold: the score from which it alerts.
        rank: scores (n,) -> how many of a million benign flows score as high, for rules that ask.
    """

    name: str
    score: Callable[[Evidence], tuple[Floats, Probability | None]]
    classes: tuple[str, ...] = ANY
    threshold: float = 0.5
    rank: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64]] | None = None

    @classmethod
    def of(cls, detector: Detector, name: str = "") -> "Subject":
        """Return a bundle as a subject."""
        meta = detector.meta

        def score(evidence: Evidence) -> tuple[Floats, Probability | None]:
            found = detector.score(evidence.matrix(detector.feature_set, meta.variant))
            return found.score.astype(np.float64), found.probability

        name = name or f"{meta.name} {meta.version}"
        return cls(name, score, meta.classes, meta.threshold, detector.budget_rank)

    def scored(self, found: tuple[Floats, Probability | None]) -> "Subject":
        """Return the same with what it says of some evidence already known."""
        return replace(self, score=lambda _: found)

    @classmethod
    def of_function(
        cls,
        name: str,
        function: Callable[[npt.NDArray[np.float32]], Floats],
        feature_set: "FeatureSet",
        variant: str,
        threshold: float = 0.5,
    ) -> "Subject":
        """Return anything that turns features float32 (n, k) of a set into scores (n,), 0 to 1, as a subject."""

        def score(evidence: Evidence) -> tuple[Floats, Probability | None]:
            found = function(evidence.matrix(feature_set, variant))
            return np.asarray(found).astype(np.float32).astype(np.float64), None

        return cls(name, score, threshold=threshold)

    @classmethod
    def as_recorded(cls, threshold: float) -> "Subject":
        """Return what was recorded with the evidence as a subject; it has no classes."""

        def score(evidence: Evidence) -> tuple[Floats, Probability | None]:
            if evidence.recorded is None:
                raise NettrusionError(f"{evidence.name}: no scores were recorded with it")
            return evidence.recorded.astype(np.float32).astype(np.float64), None

        return cls("as recorded", score, threshold=threshold)
