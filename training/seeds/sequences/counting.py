"""Models that only count: how common a word is, between two hosts, after others; and how common the pair is.

Counts are smoothed towards the next simpler model as if that had spoken once: a hierarchy of Dirichlet
priors (MacKay and Peto, "A hierarchical Dirichlet language model", Natural Language Engineering 1, 1995).
"""

from collections import Counter
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.seeds.sequences.events import Ints
from training.seeds.sequences.windows import Text

Floats = npt.NDArray[np.float64]
Key = Callable[[Text], Ints]


class Model(Protocol):
    """What was fitted on a text, and says of any other how likely each word is."""

    def probability(self, text: Text) -> Floats:
        """Return (n,) p(word), above 0."""
        ...


class Frequency:
    """How common each word is: (count + 1) / (all + words)."""

    def __init__(self, text: Text, words: int) -> None:
        counts = np.bincount(text.word, minlength=words).astype(np.float64)
        self._probability = (counts + 1) / (counts.sum() + words)

    def probability(self, text: Text) -> Floats:
        """Return (n,) p(word)."""
        return np.asarray(self._probability[text.word])


class Table:
    """How common each word is under one key: (count(key, word) + p) / (count(key) + 1), p the simpler model's."""

    def __init__(self, key: Key, text: Text, simpler: Model) -> None:
        self._key, self._simpler = key, simpler
        keys, words = key(text).tolist(), text.word.tolist()
        self._totals = Counter(keys)
        self._counts = Counter(zip(keys, words, strict=True))

    def probability(self, text: Text) -> Floats:
        """Return (n,) p(word | key); the simpler model's where the key was never met."""
        keys, words = self._key(text).tolist(), text.word.tolist()
        totals = np.array([self._totals[key] for key in keys], dtype=np.float64)
        counts = np.array([self._counts[both] for both in zip(keys, words, strict=True)], dtype=np.float64)
        return np.asarray((counts + self._simpler.probability(text)) / (totals + 1))


class Pairs:
    """How common the pair of hosts is, whatever it says: (count + 1) / (all + 1). Identity and nothing else."""

    def __init__(self, text: Text) -> None:
        self._counts = Counter(text.pair.tolist())
        self._all = len(text)

    def probability(self, text: Text) -> Floats:
        """Return (n,) p(pair), not of the word."""
        counts = np.array([self._counts[pair] for pair in text.pair.tolist()], dtype=np.float64)
        return np.asarray((counts + 1) / (self._all + 1))


def by_pair(text: Text, words: int) -> Model:
    """Return the table that memorises which two hosts use which service."""
    return Table(lambda given: given.pair, text, Frequency(text, words))


def trigram(text: Text, words: int) -> Model:
    """Return the model of a word after the two before it, which steps back to one and to none."""
    one = Table(lambda given: given.before[:, -1].astype(np.int64), text, Frequency(text, words))
    return Table(lambda given: (given.before[:, -2].astype(np.int64) << 32) | given.before[:, -1], text, one)


def surprise(model: Model, text: Text) -> Floats:
    """Return (n,) -log p in nats: the score, larger is more like an attack."""
    return np.asarray(-np.log(model.probability(text)))
