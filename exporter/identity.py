"""What a bundle is called, which features it reads, and where its threshold lies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporter.quantiles import Quantiles
from exporter.scoring import Scoring
from sensor.detector import Budget
from sensor.detector.meta import FORMAT, PREFIX
from sensor.features import FeatureSet

__all__ = ["Budget", "Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The metadata of a bundle that its graph does not give.

    `threshold` is the default alert threshold on the score; `calibration` comes from
    `exporter.calibration.table`, `quantiles` say where the benign training rows lay, None where the
    bundle is not to tell; `training` holds JSON values: data files with sha256, seed, split,
    figures; `card` is a short text for people.
    """

    name: str
    version: str
    feature_set: FeatureSet
    variant: str
    threshold: float
    budget: Budget
    calibration: tuple[tuple[float, float], ...]
    training: Mapping[str, Any]
    card: str
    quantiles: Quantiles | None = None

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values; the feature set by name, version and hash."""
        values: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "feature_set": self.feature_set.name,
            "feature_set_version": self.feature_set.version,
            "feature_set_sha256": self.feature_set.sha256,
            "variant": self.variant,
            "threshold": float(self.threshold),
            "budget": {
                "false_positive_rate": self.budget.false_positive_rate,
                "flows": self.budget.flows,
                "certified": self.budget.certified,
            },
            "calibration": [[float(score), float(share)] for score, share in self.calibration],
            "training": dict(self.training),
            "card": self.card,
        }
        if self.quantiles is not None:
            values["quantiles"] = self.quantiles.to_json()
        return values

    def properties(self, scoring: Scoring, network: str, contributions: str) -> dict[str, str]:
        """Return the bundle's metadata_props, sorted; structured values as canonical JSON.

        `network` says in a few words what was exported, `contributions` which kind it explains by.
        """
        values = self.to_json() | {
            "format": FORMAT,
            "kind": scoring.kind,
            "network": network,
            "contributions": contributions,
            "classes": list(scoring.classes),
            "medians": scoring.medians.tolist(),
        }
        return {PREFIX + key: _text(value) for key, value in sorted(values.items())}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
