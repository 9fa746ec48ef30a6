"""Parts whose behaviour is known beforehand: a detector of flows of more than ten packets, a sink that keeps."""

import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sensor.detector import Detector, Reason, Scores
from sensor.features import FeatureSet

RULES = (
    'alert ip any any -> any any (msg:"much traffic"; flowbits:isset,ml.dos; flowint:ml_score,>=,900; '
    "classtype:denial-of-service; priority:3; sid:1000001; rev:1;)\n"
)
CLASSIFICATION = "config classification: denial-of-service,Detection of a Denial of Service Attack,2\n"


class KnownDetector:
    """Gives 0.95 to flows of more than ten packets, 0.1 to others."""

    def __init__(self) -> None:
        self.feature_set = FeatureSet.load("cic2022")
        self.meta = SimpleNamespace(
            name="known",
            version="1",
            sha256="0" * 64,
            variant="cns22",
            classes=("benign", "dos"),
            threshold=0.9,
            calibration=((0.99, 0.0), (0.9, 0.0001), (0.5, 0.01)),
        )
        self.batches: list[int] = []

    def score(self, features: Any) -> Scores:
        """Score features, float32 (n, k)."""
        self.batches.append(len(features))
        names = self.feature_set.names
        columns = [names.index("total_fwd_packets"), names.index("total_bwd_packets")]
        score = np.where(features[:, columns].sum(axis=1) > 10, 0.95, 0.1).astype(np.float32)
        classes = np.ones(len(features), np.int64)
        return Scores(score, classes, np.stack([1 - score, score], axis=1))

    def contributions(self, features: Any) -> Any:
        """Give every feature the same part."""
        return features * 0 + 1

    def explain(self, features: Any, contributions: Any, top: int = 3) -> list[Reason]:
        """Name the first features."""
        return [Reason(name, 1.0, 0.0, 0.5) for name in self.feature_set.names[:top]]

    def budget_rank(self, score: Any) -> Any:
        """Call everything rare."""
        return np.full(len(score), 7, np.int64)


def halve_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every detector give half its scores, so that none reaches a threshold of 1, as the highest of a model may."""
    score = Detector.score

    def half(detector: Detector, features: Any) -> Scores:
        scores = score(detector, features)
        return replace(scores, score=(scores.score / 2).astype(np.float32))

    monkeypatch.setattr(Detector, "score", half)


class KeptSink:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: Sequence[bytes]) -> None:
        self.lines += lines

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    @property
    def counters(self) -> dict[str, int]:
        return {"lines": len(self.lines)}

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in map(json.loads, self.lines) if event["event_type"] == kind]
