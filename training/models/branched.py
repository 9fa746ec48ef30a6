"""What the classifiers share: small networks side by side, how they learn, and their mean as one network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.labels import CLASSES
from training.models.augment import Variation, varied
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights
from training.models.inputs import fit_preprocessing
from training.models.parts import Parts
from training.models.reproducible import seed_everything

STEPS_A_CALL = 16
"""Steps that TensorFlow takes without coming back to Python: half the time of a small network."""


@dataclass(frozen=True, slots=True)
class Branched:
    """Several small classifiers over the classes that train holds side by side, their logits averaged.

    Each branch learns on its own loss; what one of them is sure of by accident, the others are not,
    which is what counts far out in the tail of the scores. A subclass says what a branch is. Train
    rows come twice: as they are, and stretched, lacking parts, with noise.

    Attributes:
        branches: how many networks side by side.
        epochs: at most; training stops when the calibration loss has not improved for `patience`.
        batch: rows a step.
        rate: of learning, at the start; it falls to 0 along a cosine.
        noise: standard deviation of Gaussian noise on the second copy of the standardised inputs.
        forget: share of inputs that a branch does not see at a step, so that no single one decides.
        dropout: share of a layer's units dropped at each step.
        stretch: spread (log normal) of the second copy's random slowdown of each flow.
        lack: share of the second copy's rows without first packets, and share without context.
        busy: how many times harder the second copy's attacks may be run (see `crowd.busier`).
        smoothing: label smoothing, keeps scores from saturating.
        decay: of weights (AdamW).
    """

    branches: int = 2
    epochs: int = 16
    batch: int = 1024
    patience: int = 4
    rate: float = 4e-3
    noise: float = 0.1
    forget: float = 0.15
    dropout: float = 0.1
    stretch: float = 0.5
    lack: float = 0.15
    busy: float = 30.0
    smoothing: float = 0.02
    decay: float = 1e-4
    name: str = "branched"
    seeded: bool = True
    benign_only: bool = False

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Train one network; the same lesson, seed, pins and processor give the same weights."""
        parts = Parts.of(lesson.train.feature_names)
        self._refuse(parts)
        seed_everything(seed)
        preprocessing = self._preprocessing(lesson)
        known = np.unique(lesson.train.target)
        branches = self._network(parts, len(lesson.train.feature_names), len(known))
        history = self._learn(branches, lesson, preprocessing, known, seed)
        network = self._merged(branches)

        def logits(rows: Floats) -> npt.NDArray[np.float64]:
            raw = network.predict(preprocessing.apply(rows), batch_size=8192, verbose=0)
            return np.asarray(raw, dtype=np.float64)

        def probability(rows: Floats) -> npt.NDArray[np.float64]:
            full = np.zeros((len(rows), len(CLASSES)))
            full[:, known] = softmax(logits(rows))
            return full

        return Fitted(
            self.name,
            "classifier",
            seed,
            preprocessing,
            score=lambda rows: attack_margin(logits(rows)),
            probability=probability,
            network=network,
            history=history,
            classes=tuple(CLASSES[int(number)] for number in known),
        )

    def _refuse(self, parts: Parts) -> None:
        """Raise NettrusionError where the features lack what the network reads."""

    def _preprocessing(self, lesson: Lesson) -> Preprocessing:
        return fit_preprocessing(lesson)

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        """Return what a branch makes of the inputs, before its logits."""
        raise NotImplementedError

    def _network(self, parts: Parts, inputs: int, classes: int) -> Any:
        """Return the model to train: (n, inputs) -> logits of every branch, (n, branches, C)."""
        import keras

        layers = keras.layers
        given = keras.Input((inputs,), name="features")
        logits = [
            layers.Dense(classes, name=f"logits_{number}")(self._branch(given, parts, number))
            for number in range(self.branches)
        ]
        together = layers.Concatenate()(logits) if self.branches > 1 else logits[0]
        return keras.Model(given, layers.Reshape((self.branches, classes))(together))

    def _merged(self, trained: Any) -> Any:
        """Return one plain network whose output is the mean of the branches' logits."""
        import keras

        last = [trained.get_layer(f"logits_{number}") for number in range(self.branches)]
        for layer in last:
            layer.set_weights([weights / self.branches for weights in layer.get_weights()])
        outputs = [layer.output for layer in last]
        mean = keras.layers.Add(name="logits")(outputs) if self.branches > 1 else outputs[0]
        return keras.Model(trained.inputs[0], mean, name=self.name)

    def _learn(
        self, branches: Any, lesson: Lesson, preprocessing: Preprocessing, known: npt.NDArray[np.int64], seed: int
    ) -> dict[str, list[float]]:
        """Train on train rows and their varied copy; keep the weights of the lowest calibration loss."""
        import keras

        train = lesson.train
        held = lesson.calibration.rows(np.isin(lesson.calibration.target, known))
        copy = varied(lesson, preprocessing, Variation(self.stretch, self.noise, self.lack, self.busy), seed)
        rows = np.concatenate([preprocessing.apply(train.features), copy])
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
            sample_weight=np.tile(self._alike(balanced_weights(train.target)), (2, 1)),
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
        return {name: [float(v) for v in curve] for name, curve in fitted.history.items()}

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


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n, C) probabilities from logits."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
