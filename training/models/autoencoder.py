"""The denoising autoencoder: learns benign flows alone, an attack is what it cannot rebuild."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.models.augment import lacking, stretch
from training.models.candidate import Fitted, Floats, Lesson
from training.models.inputs import fit_preprocessing
from training.models.parts import Parts
from training.models.reproducible import seed_everything


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """Inputs with noise and holes -> ReLU -> a narrow middle -> ReLU -> inputs without.

    The loss of a flow is the mean squared error over its preprocessed features.
    """

    width: int = 48
    middle: int = 12
    epochs: int = 60
    batch: int = 512
    patience: int = 8
    rate: float = 4e-3
    noise: float = 0.2
    forget: float = 0.2
    stretch: float = 0.5
    lack: float = 0.15
    name: str = "autoencoder"
    seeded: bool = True
    benign_only: bool = True

    def fit(self, lesson: Lesson, seed: int, preprocessing: Preprocessing | None = None) -> Fitted:
        """Train on benign train rows; stop early on the loss of benign calibration rows.

        `preprocessing` is another network's, when both are to see the same; otherwise it is fitted on
        the benign train rows.
        """
        import keras

        seed_everything(seed)
        train = lesson.train.rows(lesson.train.benign)
        held = lesson.calibration.rows(lesson.calibration.benign)
        benign = Lesson(train, held, lesson.excluded, lesson.times, lesson.rates)
        if preprocessing is None:
            preprocessing = fit_preprocessing(benign)
        copy = stretch(train.features, lesson, self.stretch, seed)
        copy = lacking(copy, Parts.of(train.feature_names), self.lack, seed)
        rows = np.concatenate([train.features, copy])
        network = self._network(len(train.feature_names))
        network.compile(optimizer=keras.optimizers.Adam(self.rate), loss="mse", steps_per_execution=8)
        clean, held_rows = preprocessing.apply(rows), preprocessing.apply(held.features)
        fitted = network.fit(
            clean,
            clean,
            validation_data=(held_rows, held_rows),
            epochs=self.epochs,
            batch_size=self.batch,
            callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True)],
            verbose=0,
        )

        def loss(rows: Floats) -> npt.NDArray[np.float64]:
            given = preprocessing.apply(rows)
            rebuilt = network.predict(given, batch_size=8192, verbose=0)
            return np.asarray(np.mean((given - rebuilt) ** 2, axis=1), dtype=np.float64)

        return Fitted(
            self.name,
            "autoencoder",
            seed,
            preprocessing,
            score=lambda rows: np.asarray(np.log(loss(rows) + 1e-12)),
            network=network,
            classes=("benign", "anomaly"),
            history={name: [float(v) for v in curve] for name, curve in fitted.history.items()},
        )

    def _network(self, inputs: int) -> Any:
        import keras

        layers = keras.layers
        given = keras.Input((inputs,), name="features")
        x = layers.GaussianNoise(self.noise)(given)
        x = layers.Dropout(self.forget)(x)
        x = layers.Dense(self.width, activation="relu")(x)
        x = layers.Dense(self.middle, activation="relu")(x)
        x = layers.Dense(self.width, activation="relu")(x)
        return keras.Model(given, layers.Dense(inputs, name="rebuilt")(x), name=self.name)
