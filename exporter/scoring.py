"""All that shapes a bundle's graph beside the network itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from exporter.preprocessing import Preprocessing
from sensor.errors import NettrusionError

_LOW_SCORE: Final = 0.1
TYPICAL_LOGIT: Final = float(np.log(_LOW_SCORE / (1 - _LOW_SCORE)))
"""Where a LossScale puts the logit of a benign flow of median loss."""
_HIGH_QUANTILE: Final = 0.999


@dataclass(frozen=True, slots=True)
class LossScale:
    """The strictly rising map from a reconstruction loss to a score between 0 and 1.

    score = loss^exponent / (loss^exponent + middle^exponent): one half at `middle`, never flat, so
    that it changes no order. Computed as a sigmoid of the loss's logarithm.
    """

    middle: float
    exponent: float

    @classmethod
    def fit(cls, benign_losses: NDArray[np.floating[Any]]) -> Self:
        """Place the map by benign losses, (n,): their median at 0.1, their 99.9 % quantile at 0.5."""
        losses = np.asarray(benign_losses, np.float64)
        finite = bool(len(losses)) and bool(np.isfinite(losses).all())
        median, high = np.quantile(losses, [0.5, _HIGH_QUANTILE]) if finite else (np.nan, np.nan)
        if not 0 < median < high:
            raise NettrusionError(
                f"benign losses with the median {median:g} and the 99.9 % quantile {high:g} give"
                " no scale; calibrate on more flows, and on flows that differ"
            )
        exponent = -TYPICAL_LOGIT / np.log(high / median)
        return cls(middle=float(high), exponent=float(exponent))


@dataclass(frozen=True, slots=True)
class Mixture:
    """How an ensemble's log-odds follow from a classifier's and from what is new in a flow.

        classifier * margin + novelty * surprise + bias

    The margin is the log-odds of any attack class over benign; the surprise is how far the logit of
    the autoencoder's score lies above that of a benign flow of median loss, never below 0: a flow that
    is rebuilt better than most is no less an attack for it. The weights are not negative.
    """

    classifier: float
    novelty: float
    bias: float

    def __post_init__(self) -> None:
        """Refuse weights under which a reason to raise a score would lower it."""
        finite = all(np.isfinite([self.classifier, self.novelty, self.bias]))
        if not finite or min(self.classifier, self.novelty) < 0 or self.classifier + self.novelty == 0:
            raise NettrusionError(f"{self} has a weight below 0, none above 0, or one that is no number")


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """How a network's output becomes score, classes and contributions.

    `classes[0]` is "benign"; an autoencoder has ("benign", "anomaly"), an ensemble ends in "anomaly",
    its classifier has all before. `medians` float32 (k,) are the benign training medians in the
    features' own units. `temperature` divides a classifier's logits, and an ensemble's log-odds;
    `loss_scale` is an autoencoder's and an ensemble's, `mixture` an ensemble's.
    """

    kind: Literal["classifier", "autoencoder", "ensemble"]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    medians: NDArray[np.float32]
    temperature: float = 1.0
    loss_scale: LossScale | None = None
    mixture: Mixture | None = None

    def __post_init__(self) -> None:
        """Refuse what does not belong together, with a sentence."""
        if self.classes[:1] != ("benign",) or len(set(self.classes)) < max(2, len(self.classes)):
            raise NettrusionError(f"classes {self.classes} are not benign and others, each once")
        if self.medians.shape != (self.preprocessing.width,) or not np.isfinite(self.medians).all():
            raise NettrusionError("medians are not one finite number a feature")
        if not 0 < self.temperature < np.inf:
            raise NettrusionError(f"a temperature of {self.temperature} is not above 0")
        if self.kind == "autoencoder" and self.classes != ("benign", "anomaly"):
            raise NettrusionError("an autoencoder has the classes benign and anomaly")
        if self.kind == "ensemble" and (self.classes[-1] != "anomaly" or len(self.classes) < 3):
            raise NettrusionError("an ensemble has benign, attack classes, and anomaly last")
        if (self.kind == "classifier") != (self.loss_scale is None):
            raise NettrusionError("an autoencoder or ensemble has a loss_scale, a classifier has none")
        if (self.kind == "ensemble") != (self.mixture is not None):
            raise NettrusionError("an ensemble has a mixture, nothing else has one")

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        scale = self.loss_scale
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.to_json(),
            "medians": self.medians.tolist(),
            "temperature": self.temperature,
            "loss_scale": scale and {"middle": scale.middle, "exponent": scale.exponent},
            "mixture": self.mixture and asdict(self.mixture),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote. Raises KeyError, TypeError or ValueError for other things."""
        scale, mixture = document["loss_scale"], document.get("mixture")
        return cls(
            kind=document["kind"],
            classes=tuple(document["classes"]),
            preprocessing=Preprocessing.from_json(document["preprocessing"]),
            medians=np.array(document["medians"], np.float32),
            temperature=float(document["temperature"]),
            loss_scale=LossScale(**scale) if scale else None,
            mixture=Mixture(**mixture) if mixture else None,
        )
