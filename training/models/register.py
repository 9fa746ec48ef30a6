"""Every candidate by its name, each with how the run's settings make it."""

from collections.abc import Callable, Mapping
from typing import Final

from training.config import ModelConfig
from training.models.autoencoder import Autoencoder
from training.models.baselines import baselines
from training.models.candidate import Candidate
from training.models.dense import Dense

Factory = Callable[[ModelConfig], Candidate]

_NETWORKS: Final[Mapping[str, Factory]] = {
    "dense": lambda settings: Dense(epochs=settings.epochs, batch=settings.batch, width=settings.width),
    "autoencoder": lambda settings: Autoencoder(),
}


def registry() -> dict[str, Factory]:
    """Return what makes each candidate of a run's settings, by its name: baselines first, then networks.

    A factory costs nothing; TensorFlow is imported when a network is fitted.
    """
    return {one.name: _always(one) for one in baselines()} | dict(_NETWORKS)


def _always(candidate: Candidate) -> Factory:
    """Return a factory of a candidate that has no settings."""
    return lambda settings: candidate
