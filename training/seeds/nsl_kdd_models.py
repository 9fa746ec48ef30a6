"""Detectors for NSL-KDD: the seed's autoencoder, what improves on it, and plain baselines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from training.datasets.benchmark import Benchmark
from training.models.reproducible import one_thread, seed_everything
from training.seeds.nsl_kdd_inputs import Floats, min_max, tamed

Scores = npt.NDArray[np.float64]
Score = Callable[[Benchmark], Scores]
_BATCH = 4096
_TINY = 1e-12
_CLOSE = 1e-2
"""Added to distances before their logarithm: nearer than this is the same."""


class Detector(Protocol):
    """A recipe: `fit` learns from rows and a seed and returns a score, larger = more like an attack.

    `labels` says whether attack rows are learnt from; a detector without leaves them aside itself.
    """

    @property
    def name(self) -> str:
        """What it is called in tables."""
        ...

    @property
    def labels(self) -> bool:
        """Whether attack rows of the train part are learnt from."""
        ...

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Learn from train rows alone."""
        ...


@dataclass(frozen=True, slots=True)
class SeedAutoencoder:
    """The seed as it was: min-max, one-hot, dropout 0.5 -> Dense 8 ReLU (activity L2 1e-4) -> Dense n.

    Ten epochs of Adam on the mean squared error of normal rows, in batches of 100. The scale is that
    of all train rows; the score is the squared error of a row. `last_loss` finds the last epoch's
    training loss, which the seed took for a threshold.
    """

    epochs: int = 10
    name: str = "the seed's autoencoder"
    labels: bool = False

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Learn from the normal rows."""
        return self.fit_with_loss(train, seed)[0]

    def fit_with_loss(self, train: Benchmark, seed: int) -> tuple[Score, float]:
        """Return the score, and the training loss of the last epoch."""
        import keras

        seed_everything(seed)
        inputs = min_max(train)
        rows = inputs.apply(train.rows(train.benign))
        width = rows.shape[1]
        network = keras.Sequential(
            [
                keras.Input((width,)),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(8, activation="relu", activity_regularizer=keras.regularizers.L2(1e-4)),
                keras.layers.Dense(width),
            ]
        )
        network.compile("adam", "mse", steps_per_execution=16)
        fitted = network.fit(rows, rows, epochs=self.epochs, batch_size=100, verbose=0)

        def score(asked: Benchmark) -> Scores:
            given = inputs.apply(asked)
            return np.asarray(_errors(network, given).mean(axis=1, dtype=np.float64))

        return score, float(fitted.history["loss"][-1])


@dataclass(frozen=True, slots=True)
class TamedAutoencoder:
    """Inputs in standard deviations of logarithms, with noise and holes -> wide -> narrow -> wide -> inputs.

    A column's error counts against its own mean error on the normal train rows, by its root: neither a
    column that is never rebuilt nor one wild value decides alone.
    """

    width: int = 128
    middle: int = 16
    noise: float = 0.3
    forget: float = 0.2
    epochs: int = 40
    batch: int = 256
    rate: float = 2e-3
    limit: float = 2.0
    name: str = "autoencoder, tamed"
    labels: bool = False

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Learn from the normal rows."""
        import keras

        seed_everything(seed)
        normal = train.rows(train.benign)
        inputs = tamed(normal, self.limit)
        rows = inputs.apply(normal)
        layers = keras.layers
        network = keras.Sequential(
            [
                keras.Input((rows.shape[1],)),
                layers.GaussianNoise(self.noise),
                layers.Dropout(self.forget),
                layers.Dense(self.width, activation="relu"),
                layers.Dense(self.middle, activation="relu"),
                layers.Dense(self.width, activation="relu"),
                layers.Dense(rows.shape[1]),
            ]
        )
        steps = self.epochs * -(-len(rows) // self.batch)
        falling = keras.optimizers.schedules.CosineDecay(self.rate, steps)
        network.compile(keras.optimizers.Adam(falling), "mse", steps_per_execution=16)
        network.fit(rows, rows, epochs=self.epochs, batch_size=self.batch, verbose=0)
        usual = _errors(network, rows).mean(axis=0) + 1e-2

        def score(asked: Benchmark) -> Scores:
            relative = np.sqrt(_errors(network, inputs.apply(asked)) / usual)
            return np.asarray(np.log(relative.mean(axis=1, dtype=np.float64) + _TINY))

        return score


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How far a row is from the `k` normal train rows next to it, among the tamed inputs.

    What an autoencoder has to squeeze through its middle these rows keep whole: a row that no normal
    row is like cannot be rebuilt from parts of several. With `contrast` above 0 the logarithm of the
    distance to the next attack row is taken away, so many times: like an attack, unlike normal rows.
    """

    k: int = 1
    limit: float = 2.0
    contrast: float = 0.0
    name: str = "neighbours"

    @property
    def labels(self) -> bool:
        """Whether attack rows are looked at."""
        return self.contrast > 0

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Keep the rows; the seed changes nothing."""
        normal = train.rows(train.benign)
        inputs = tamed(normal, self.limit)
        kept = inputs.apply(normal).astype(np.float64)
        attacks = inputs.apply(train.rows(train.attack)).astype(np.float64)

        def score(asked: Benchmark) -> Scores:
            rows = inputs.apply(asked).astype(np.float64)
            away = np.log(_nearest(rows, kept, self.k) + _CLOSE)
            if not self.labels:
                return away
            return np.asarray(away - self.contrast * np.log(_nearest(rows, attacks, 1) + _CLOSE))

        return score


@dataclass(frozen=True, slots=True)
class Trees:
    """A scikit-learn classifier of normal and attack on the plain columns; words by their place.

    With `alike` an attack type counts by the root of its rows, all attacks as much as all normal rows:
    what is common to attacks is learnt, not what the largest flood looks like.
    """

    name: str
    build: Callable[[int], Any]
    alike: bool = False
    labels: bool = True

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Learn from all rows."""
        model = self.build(seed)
        with one_thread():
            model.fit(train.values, train.attack, sample_weight=weights(train) if self.alike else None)

        def score(asked: Benchmark) -> Scores:
            with one_thread():
                chance = np.asarray(model.predict_proba(asked.values)[:, 1], dtype=np.float64)
            return np.asarray(np.log(chance + _TINY) - np.log(1.0 - chance + _TINY))

        return score


def weights(train: Benchmark) -> Scores:
    """Return (n,) weights of rows: 1 for normal ones, the root of its rows for a type, both sides alike."""
    _, member, rows = np.unique(train.label, return_inverse=True, return_counts=True)
    own = 1.0 / np.sqrt(rows[member])
    own[train.benign] = 1.0
    own[train.attack] *= train.benign.sum() / own[train.attack].sum()
    return np.asarray(own)


@dataclass(frozen=True, slots=True)
class Together:
    """The mean of several detectors' scores, each on the scale of normal rows that it has not learnt from.

    A tenth of the normal train rows is kept from all parts; a score is measured from their median, in
    distances from there to their 99th percentile.
    """

    parts: tuple[Detector, ...]
    name: str

    @property
    def labels(self) -> bool:
        """Whether a part learns from attack rows."""
        return any(part.labels for part in self.parts)

    def fit(self, train: Benchmark, seed: int) -> Score:
        """Fit every part on the same rows."""
        normal = np.random.default_rng(seed).permutation(np.flatnonzero(train.benign))
        kept = np.zeros(len(train), dtype=bool)
        kept[normal[: max(2, len(normal) // 10)]] = True
        rest, own = train.rows(~kept), train.rows(kept)
        scores = [part.fit(rest, seed) for part in self.parts]
        scales = []
        for score in scores:
            middle, high = np.quantile(score(own), (0.5, 0.99))
            scales.append((float(middle), float(max(high - middle, _TINY))))

        def together(asked: Benchmark) -> Scores:
            scaled = [(score(asked) - middle) / width for score, (middle, width) in zip(scores, scales, strict=True)]
            return np.asarray(np.mean(scaled, axis=0))

        return together


CHOSEN = {False: "autoencoder and neighbours", True: "neighbours and boosting"}
"""Chosen on the training file, kinds of attack counting alike, before any test row was scored; by use of labels."""
CHOSEN_LATER = {False: "both autoencoders and neighbours", True: "the seed's, neighbours and boosting"}
"""Chosen on the training file once those were judged, attacks counting by rows, as the figures count them."""


def detectors() -> list[Detector]:
    """Return every detector: the seed, what improves on it without and with labels, plain baselines."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    def boosting(seed: int) -> Any:
        return HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=seed)

    types_alike = Trees("boosting, types alike", boosting, alike=True)
    return [
        SeedAutoencoder(),
        TamedAutoencoder(),
        Neighbours(),
        Together((TamedAutoencoder(), Neighbours()), CHOSEN[False]),
        types_alike,
        Together((Neighbours(), types_alike), CHOSEN[True]),
        Together((SeedAutoencoder(), TamedAutoencoder(), Neighbours()), CHOSEN_LATER[False]),
        Together((SeedAutoencoder(), Neighbours(), types_alike), CHOSEN_LATER[True]),
        Trees("stump", lambda seed: DecisionTreeClassifier(max_depth=1, random_state=seed)),
        Trees("random forest", lambda seed: RandomForestClassifier(100, n_jobs=1, random_state=seed)),
        Trees("gradient boosting", boosting),
    ]


def _nearest(rows: Scores, kept: Scores, k: int) -> Scores:
    """Return (n,) the mean Euclidean distance to the k nearest of the kept rows."""
    lengths = (kept**2).sum(axis=1)
    found = []
    for part in np.array_split(rows, len(rows) // 1024 + 1):
        squares = (part**2).sum(axis=1)[:, None] + lengths[None, :] - 2.0 * (part @ kept.T)
        nearest = np.partition(squares, k - 1, axis=1)[:, :k] if k > 1 else squares.min(axis=1, keepdims=True)
        found.append(np.sqrt(np.maximum(nearest, 0.0)).mean(axis=1))
    return np.concatenate(found)


def _errors(network: Any, given: Floats) -> Floats:
    """Return (n, width) squared errors of what a network rebuilds."""
    parts = [given[first : first + _BATCH] for first in range(0, len(given), _BATCH)]
    return np.concatenate([(np.asarray(network(part, training=False)) - part) ** 2 for part in parts])
