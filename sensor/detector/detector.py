"""The detector: verifies and loads a bundle, scores batches of flows, says what made a score."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sensor.calibration import Calibration, ranks
from sensor.detector.admission import MAX_BYTES, Admitted, admit
from sensor.detector.meta import BundleMeta, read_meta
from sensor.detector.reading import read_once, verify_signature
from sensor.detector.scoring import without_output
from sensor.detector.session import Session
from sensor.errors import NettrusionError
from sensor.features import FeatureSet


@dataclass(frozen=True, slots=True)
class Scores:
    """What the detector says of n flows.

    `score` float32 (n,), 0 to 1, 1 is attack-like; `class_index` int64 (n,), the likeliest attack
    class (never 0, benign); `probability` float32 (n, C).
    """

    score: NDArray[np.float32]
    class_index: NDArray[np.int64]
    probability: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature that raised a score: its value, the benign median, its share of what raised it."""

    name: str
    value: float
    median: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """A loaded bundle. Made by `load`; scoring is a function of each row alone.

    `calibration` is what was found out of the operator's own traffic, None where the bundle's counts.
    """

    meta: BundleMeta
    feature_set: FeatureSet
    admitted: Admitted = field(repr=False)
    _scoring: Session = field(repr=False)
    _explaining: Session = field(repr=False)
    calibration: Calibration | None = None

    @classmethod
    def load(
        cls,
        path: Path,
        feature_sets: Mapping[str, FeatureSet],
        *,
        allowed_signers: Path | None = None,
    ) -> Self:
        """Verify the model file at `path` and make it ready to score.

        `feature_sets` are the sensor's own, by name. With `allowed_signers` the file must have a
        valid signature in `PATH.sig` (see `verify_signature`), which is checked before anything in
        the file is looked at. Raises NettrusionError that says what is wrong with the file.
        """
        try:
            data = read_once(path, MAX_BYTES)
            if allowed_signers is not None:
                verify_signature(data, path.with_name(path.name + ".sig"), allowed_signers)
            return cls.from_bytes(data, path, feature_sets)
        except OSError as error:
            raise NettrusionError(f"cannot read the model {path}: {error.strerror}") from error
        except ValueError as error:
            raise NettrusionError(
                f"the model {path} is refused: {error}; use a bundle that `nettrusion export` wrote for this version"
            ) from error

    @classmethod
    def from_bytes(cls, data: bytes, path: Path, feature_sets: Mapping[str, FeatureSet]) -> Self:
        """Make a detector of a bundle's bytes; `path` is only its name. Raises ValueError."""
        admitted = admit(data)
        meta = read_meta(path, hashlib.sha256(data).hexdigest(), admitted.graph.metadata)
        feature_set = _matching(meta, admitted, feature_sets)
        scoring = Session(without_output(data, "contributions"), ("score", "classes"))
        detector = cls(meta, feature_set, admitted, scoring, Session(data))
        # A first run finds what cannot run at all before a sensor starts, not with its first flow.
        medians = np.array([meta.medians], np.float32)
        scoring.run(medians)
        detector._explaining.run(medians)
        return detector

    def score(self, features: NDArray[np.float32]) -> Scores:
        """Return the scores of flows whose features are float32 (n, k); n may be 0.

        Any numbers are allowed, also NaN and infinity. A row's result does not depend on the rows
        beside it. Raises NettrusionError when the model makes something that is not a number.
        """
        score, probability = self._run(self._scoring, features)
        class_index = np.argmax(probability[:, 1:], axis=1) + 1
        return Scores(score, class_index.astype(np.int64), probability)

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each feature added to a flow's logit or loss, float32 (n, k), like the features.

        It costs more than scoring: ask for the flows that somebody will read about. Raises as `score` does.
        """
        return self._run(self._explaining, features)[2]

    def _run(self, session: Session, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        if features.ndim != 2 or features.shape[1] != self.admitted.features:
            raise ValueError(f"features of shape {features.shape} for a model of {self.admitted.features}")
        try:
            outputs = session.run(features)
        except ValueError as error:
            raise NettrusionError(f"the model {self.meta.path} failed: {error}") from error
        if not all(np.isfinite(output).all() for output in (outputs[0], outputs[-1])):
            raise NettrusionError(f"the model {self.meta.path} made a score that is not a number; export it again")
        return outputs

    def explain(self, features: NDArray[np.float32], contributions: NDArray[np.float32], top: int = 3) -> list[Reason]:
        """Return the features that raised one flow's score most, at most `top`, largest share first.

        Both arrays are a flow's row, (k,). A share is the feature's part of all that raised the
        score, 0 to 1. A flow whose score nothing raised has no reasons.
        """
        raising = np.maximum(contributions.astype(np.float64), 0)
        total = raising.sum()
        order = np.argsort(-raising, kind="stable")[:top]
        return [
            Reason(
                name=self.feature_set.features[index].name,
                value=float(features[index]),
                median=self.meta.medians[index],
                share=float(raising[index] / total),
            )
            for index in order.tolist()
            if raising[index] > 0
        ]

    def budget_rank(self, score: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return for scores (n,) how many benign flows in a million score as high or higher, int64.

        Read off the calibration table, the operator's own (of all flows there) where there is one. Never less
        than it can know: a score above all that were seen gets the rank of the highest one seen. Below the
        table: a million.
        """
        return ranks(self.meta.calibration if self.calibration is None else self.calibration.table, score)


def _matching(meta: BundleMeta, admitted: Admitted, feature_sets: Mapping[str, FeatureSet]) -> FeatureSet:
    """Return the sensor's feature set that the bundle was made for, exactly that."""
    feature_set = feature_sets.get(meta.feature_set)
    if feature_set is None:
        known = ", ".join(sorted(feature_sets)) or "none"
        raise ValueError(f"it wants the feature set {meta.feature_set}; this sensor has {known}")
    if feature_set.sha256 != meta.feature_set_sha256:
        raise ValueError(
            f"it was made for {meta.feature_set} {meta.feature_set_version} with the hash"
            f" {meta.feature_set_sha256[:12]}, this sensor has {feature_set.version} with"
            f" {feature_set.sha256[:12]}"
        )
    if meta.variant not in feature_set.variants:
        raise ValueError(f"it wants the variant {meta.variant}, which {meta.feature_set} has not")
    k = len(feature_set.features)
    if admitted.features != k or len(meta.medians) != k:
        raise ValueError(f"it takes {admitted.features} features, {meta.feature_set} has {k}")
    if admitted.classes != len(meta.classes):
        raise ValueError(f"it has {admitted.classes} classes and {len(meta.classes)} names for them")
    return feature_set
