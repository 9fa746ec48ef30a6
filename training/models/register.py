"""Every candidate by its name, each with how the run's settings make it."""

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Listed
from typing import Final

from training.config import ModelConfig
from training.models.autoencoder import Autoencoder
from training.models.baselines import baselines
from training.models.candidate import Candidate
from training.models.dense import Dense
from training.models.ensemble import Ensemble
from training.models.parts import Parts
from training.models.residual import Residual
from training.models.sequence import Sequence

Factory = Callable[[ModelConfig], Candidate]

_NETWORKS: Final[Mapping[str, Factory]] = {
    "dense": lambda settings: Dense(epochs=settings.epochs, batch=settings.batch, width=settings.width),
    "residual": lambda settings: Residual(epochs=settings.epochs, batch=settings.batch),
    "sequence": lambda settings: Sequence(epochs=settings.epochs, batch=settings.batch),
    "autoencoder": lambda settings: Autoencoder(),
    "ensemble": lambda settings: Ensemble(
        classifier=Dense(epochs=settings.epochs, batch=settings.batch, width=settings.width)
    ),
}
_OF_PACKETS: Final = ("sequence",)
"""Those that learn from the first packets and from nothing else instead."""


def registry(feature_names: Listed[str] | None = None) -> dict[str, Factory]:
    """Return what makes each candidate of a run's settings, by its name: baselines first, then networks.

    Given the names of the features, those candidates are left out that cannot learn from them. A
    factory costs nothing; TensorFlow is imported when a network is fitted.
    """
    every = {one.name: _always(one) for one in baselines()} | dict(_NETWORKS)
    if feature_names is not None and not Parts.of(feature_names).sequence.size:
        return {name: factory for name, factory in every.items() if name not in _OF_PACKETS}
    return every


def _always(candidate: Candidate) -> Factory:
    """Return a factory of a candidate that has no settings."""
    return lambda settings: candidate
