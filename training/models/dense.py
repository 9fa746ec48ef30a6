"""The dense classifier: preprocessed features -> ReLU layers -> one logit per class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.models.augment import stretch
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights
from training.models.inputs import fit_preprocessing
from training.models.reproducible import seed_everything

STEPS_A_CALL = 16
"""Steps that TensorFlow takes without coming back to Python: half the time of a small network."""


@dataclass(frozen=True, slots=True)
class Dense:
    """A classifier over CLASSES with two hidden ReLU layers; it ends in logits.

    Attributes:
        width: units of the first layer, the second has half.
        epochs: at most; training stops when the calibration loss has not improved for `patience`.
        batch: rows a step.
        noise: standard deviation of Gaussian noise on the standardised inputs.
        forget: share of inputs set to their mean at each step, so that no single one decides.
        dropout: share of the first layer's units dropped at each step.
        stretch: spread (log normal) of a random slowdown of each flow; 0 leaves times as they are.
        smoothing: label smoothing, keeps scores from saturating.
    """

    width: int = 96
    epochs: int = 24
    batch: int = 1024
    patience: int = 5
    rate: float = 4e-3
    noise: float = 0.1
    forget: float = 0.1
    dropout: float = 0.1
    stretch: float = 0.5
    smoothing: float = 0.02
    decay: float = 1e-4
    name: str = "dense"
    seeded: bool = True

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train one network; the same lesson, seed, pins and processor give the same weights."""
        import keras

        seed_everything(seed)
        preprocessing = fit_preprocessing(lesson)
        network = self._network(len(lesson.train.feature_names))
        network.compile(
            optimizer=keras.optimizers.AdamW(self.rate, weight_decay=self.decay),
            loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.smoothing),
            weighted_metrics=["accuracy"],
            steps_per_execution=STEPS_A_CALL,
        )
        train, held = lesson.train, lesson.calibration
        rows, copies = train.features, np.arange(len(train))
        if self.stretch:
            slower = stretch(train.features, lesson, self.stretch, seed)
            rows, copies = np.concatenate([rows, slower]), np.concatenate([copies, copies])
        fitted = network.fit(
            preprocessing.apply(rows),
            _one_hot(train.target[copies]),
            sample_weight=balanced_weights(train.target)[copies],
            validation_data=(
                preprocessing.apply(held.features),
                _one_hot(held.target),
                balanced_weights(held.target),
            ),
            epochs=self.epochs,
            batch_size=self.batch,
            callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True)],
            verbose=0,
        )
        history = {name: [float(v) for v in curve] for name, curve in fitted.history.items()}

        def logits(rows: Floats) -> npt.NDArray[np.float64]:
            raw = network.predict(preprocessing.apply(rows), batch_size=8192, verbose=0)
            return np.asarray(raw, dtype=np.float64)

        return Fitted(
            self.name,
            "classifier",
            seed,
            preprocessing,
            score=lambda rows: attack_margin(logits(rows)),
            probability=lambda rows: _softmax(logits(rows)),
            network=network,
            history=history,
        )

    def _network(self, inputs: int) -> Any:
        import keras

        layers = keras.layers
        given = keras.Input((inputs,), name="features")
        x = layers.GaussianNoise(self.noise)(given)
        x = layers.Dropout(self.forget)(x)
        x = layers.Dense(self.width, activation="relu")(x)
        x = layers.Dropout(self.dropout)(x)
        x = layers.Dense(self.width // 2, activation="relu")(x)
        return keras.Model(given, layers.Dense(len(CLASSES), name="logits")(x), name=self.name)


def attack_margin(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n,) the log-odds of any attack class over benign, from (n, C) logits."""
    top = logits[:, 1:].max(axis=1)
    spread = np.exp(logits[:, 1:] - top[:, None]).sum(axis=1)
    return np.asarray(top + np.log(spread) - logits[:, 0])


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _one_hot(target: npt.NDArray[np.int64]) -> Floats:
    return np.eye(len(CLASSES), dtype=np.float32)[target]
