"""The dense classifier: preprocessed features -> ReLU layers -> one logit per class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.models.augment import blur, stretch
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights
from training.models.inputs import fit_preprocessing
from training.models.reproducible import seed_everything

STEPS_A_CALL = 16
"""Steps that TensorFlow takes without coming back to Python: half the time of a small network."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Several small classifiers over the classes that train holds side by side, their logits averaged.

    Each branch has two ReLU layers and learns on its own loss; what one of them is sure of by
    accident, the others are not, which is what counts far out in the tail of the scores.

    Attributes:
        branches: how many networks side by side.
        width: units of a branch's first layer, the second has half.
        epochs: at most; training stops when the calibration loss has not improved for `patience`.
        batch: rows a step.
        noise: standard deviation of Gaussian noise on a second copy of the standardised inputs.
        forget: share of inputs that a branch does not see at a step, so that no single one decides.
        dropout: share of the first layer's units dropped at each step.
        stretch: spread (log normal) of the second copy's random slowdown of each flow.
        smoothing: label smoothing, keeps scores from saturating.
    """

    branches: int = 2
    width: int = 64
    epochs: int = 16
    batch: int = 1024
    patience: int = 4
    rate: float = 4e-3
    noise: float = 0.1
    forget: float = 0.15
    dropout: float = 0.1
    stretch: float = 0.5
    smoothing: float = 0.02
    decay: float = 1e-4
    name: str = "dense"
    seeded: bool = True
    benign_only: bool = False

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train one network; the same lesson, seed, pins and processor give the same weights."""
        import keras

        seed_everything(seed)
        preprocessing = fit_preprocessing(lesson)
        train, held = lesson.train, lesson.calibration
        known = np.unique(train.target)
        held = held.rows(np.isin(held.target, known))
        slower = preprocessing.apply(stretch(train.features, lesson, self.stretch, seed))
        rows = np.concatenate([preprocessing.apply(train.features), blur(slower, self.noise, seed)])
        weights = np.tile(self._alike(balanced_weights(train.target)), (2, 1))
        branches = self._network(len(train.feature_names), len(known))
        steps = self.epochs * (len(rows) // self.batch + 1)
        falling = keras.optimizers.schedules.CosineDecay(self.rate, steps)
        branches.compile(
            optimizer=keras.optimizers.AdamW(falling, weight_decay=self.decay),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.smoothing),
            weighted_metrics=["accuracy"],
            steps_per_execution=STEPS_A_CALL,
        )
        fitted = branches.fit(
            rows,
            self._wanted(np.tile(train.target, 2), known),
            sample_weight=weights,
            validation_data=(
                preprocessing.apply(held.features),
                self._wanted(held.target, known),
                self._alike(balanced_weights(held.target)),
            ),
            epochs=self.epochs,
            batch_size=self.batch,
            callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True)],
            verbose=0,
        )
        network = self._merged(branches)

        def logits(rows: Floats) -> npt.NDArray[np.float64]:
            raw = network.predict(preprocessing.apply(rows), batch_size=8192, verbose=0)
            return np.asarray(raw, dtype=np.float64)

        def probability(rows: Floats) -> npt.NDArray[np.float64]:
            full = np.zeros((len(rows), len(CLASSES)))
            full[:, known] = _softmax(logits(rows))
            return full

        return Fitted(
            self.name,
            "classifier",
            seed,
            preprocessing,
            score=lambda rows: attack_margin(logits(rows)),
            probability=probability,
            network=network,
            history={name: [float(v) for v in curve] for name, curve in fitted.history.items()},
            classes=tuple(CLASSES[int(number)] for number in known),
        )

    def _network(self, inputs: int, classes: int) -> Any:
        """Return the model to train: (n, inputs) -> logits of every branch, (n, branches, C)."""
        import keras

        layers = keras.layers
        given = keras.Input((inputs,), name="features")
        logits = []
        for branch in range(self.branches):
            x = layers.Dropout(self.forget)(given)
            x = layers.Dense(self.width, activation="relu", name=f"wide_{branch}")(x)
            x = layers.Dropout(self.dropout)(x)
            x = layers.Dense(self.width // 2, activation="relu", name=f"narrow_{branch}")(x)
            logits.append(layers.Dense(classes, name=f"logits_{branch}")(x))
        together = layers.Concatenate()(logits) if self.branches > 1 else logits[0]
        return keras.Model(given, layers.Reshape((self.branches, classes))(together))

    def _merged(self, trained: Any) -> Any:
        """Return one plain network of three layers with the mean of the branches' logits.

        First layers side by side, second layers as blocks on a diagonal, last layers stacked.
        """
        import keras

        wide, narrow, logits = (
            [trained.get_layer(f"{name}_{b}").get_weights() for b in range(self.branches)]
            for name in ("wide", "narrow", "logits")
        )
        blocks = np.zeros((self.branches * self.width, self.branches * (self.width // 2)))
        for branch, (kernel, _) in enumerate(narrow):
            rows, columns = kernel.shape
            blocks[branch * rows : (branch + 1) * rows, branch * columns : (branch + 1) * columns] = kernel
        layers = keras.layers
        given = keras.Input((len(wide[0][0]),), name="features")
        x = layers.Dense(blocks.shape[0], activation="relu", name="wide")(given)
        x = layers.Dense(blocks.shape[1], activation="relu", name="narrow")(x)
        network = keras.Model(given, layers.Dense(logits[0][0].shape[1], name="logits")(x), name=self.name)
        for name, kernel, bias in (
            ("wide", np.hstack([k for k, _ in wide]), np.concatenate([b for _, b in wide])),
            ("narrow", blocks, np.concatenate([b for _, b in narrow])),
            (
                "logits",
                np.vstack([k for k, _ in logits]) / self.branches,
                np.mean([b for _, b in logits], axis=0),
            ),
        ):
            network.get_layer(name).set_weights([kernel, bias])
        return network

    def _wanted(self, target: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> Floats:
        """Return (n, branches, C) the same one-hot target for every branch; `known` are the classes, ascending."""
        one = np.eye(len(known), dtype=np.float32)[np.searchsorted(known, target)]
        return np.repeat(one[:, None, :], self.branches, axis=1)

    def _alike(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return (n, branches) the same weight for every branch."""
        return np.repeat(weights[:, None], self.branches, axis=1)


def attack_margin(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n,) the log-odds of any attack class over benign, from (n, C) logits."""
    top = logits[:, 1:].max(axis=1)
    spread = np.exp(logits[:, 1:] - top[:, None]).sum(axis=1)
    return np.asarray(top + np.log(spread) - logits[:, 0])


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
