"""What a candidate detector gets to see, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from exporter.scoring import LossScale, Mixture
from training.datasets.labels import CLASSES
from training.datasets.table import BENIGN, FlowTable

Floats = npt.NDArray[np.float32]
Kind = Literal["classifier", "autoencoder", "ensemble", "baseline"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that a candidate may learn from: train rows, calibration rows, and how features behave.

    `excluded` names features that are set to a constant (they tell the lab, not the attack);
    `times` and `rates` are the columns that grow and shrink when a network is slower.
    """

    train: FlowTable
    calibration: FlowTable
    excluded: tuple[str, ...] = ()
    times: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rates: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained candidate.

    `score` takes raw features (n, k) and returns (n,) float64, larger = more like an attack, on a
    scale of its own that does not saturate (log-odds, log of a loss). `probability` gives (n, C)
    over CLASSES or is None for detectors of novelty. `network` is what the exporter takes, None for
    baselines that cannot be exported with their reasons; `classes` names its outputs. `history` holds
    a list per curve. `loss_scale` and `mixture` are an ensemble's, which is fitted with them.
    """

    candidate: str
    kind: Kind
    seed: int
    preprocessing: Preprocessing
    score: Callable[[Floats], npt.NDArray[np.float64]]
    probability: Callable[[Floats], npt.NDArray[np.float64]] | None = None
    network: Any = None
    history: dict[str, list[float]] = field(default_factory=dict)
    classes: tuple[str, ...] = CLASSES
    loss_scale: LossScale | None = None
    mixture: Mixture | None = None


class Candidate(Protocol):
    """A recipe; `fit` makes a detector from a lesson and a seed.

    `seeded` is false when every seed gives the same detector, so that one run is enough;
    `benign_only` is true when leaving an attack family out gives the same detector.
    """

    @property
    def name(self) -> str:
        """What it is called in settings, figures and the card."""
        ...

    @property
    def seeded(self) -> bool:
        """Whether the seed changes anything."""
        ...

    @property
    def benign_only(self) -> bool:
        """Whether it learns from benign rows alone, so that no attack row changes it."""
        ...

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train on the lesson's train rows; stop early on its calibration rows at most."""
        ...


def balanced_weights(target: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return (n,) weights, mean 1: half the mass is benign, an attack class has the root of its rows.

    The root lies between equal rows (a rare class is lost) and equal classes (fifty rows of one
    class would count as much as seven thousand of another).
    """
    counts = np.bincount(target).astype(np.float64)
    mass = np.sqrt(counts)
    mass[BENIGN] = mass[BENIGN + 1 :].sum()
    per_row = np.divide(mass, counts, out=np.zeros_like(mass), where=counts > 0)
    weights = per_row[target]
    return np.asarray(weights / weights.mean())


def log_odds(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n,) log of attack over benign from (n, C) probabilities, finite."""
    tiny = 1e-300
    benign = np.maximum(probability[:, BENIGN], tiny)
    attack = np.maximum(probability[:, BENIGN + 1 :].sum(axis=1), tiny)
    return np.asarray(np.log(attack) - np.log(benign))
