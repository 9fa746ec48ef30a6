"""What the classifiers share: small networks side by side, how they learn, and their mean as one network."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.labels import CLASSES
from training.datasets.table import FlowTable
from training.models.augment import Variation, varied
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights
from training.models.inputs import fit_preprocessing
from training.models.parts import Parts
from training.models.reproducible import seed_everything

Seen = npt.NDArray[np.bool_]

STEPS_A_CALL = 16
"""Steps that TensorFlow takes without coming back to Python: half the time of a small network."""


@dataclass(frozen=True, slots=True)
class Branched:
    """Several small classifiers over the classes that train holds side by side, their logits averaged.

    Each branch learns on its own loss; what one of them is sure of by accident, the others are not,
    which is what counts far out in the tail of the scores. A subclass says what a branch is, and may
    show each branch other columns. Train rows come twice: as they are, and stretched, lacking parts,
    with noise.

    Attributes:
        branches: how many networks side by side, where all see the same.
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
        seen = self._seen(parts, len(lesson.train.feature_names))
        branches = self._network(parts, seen, len(known))
        history = self._learn(branches, lesson, preprocessing, known, seed, parts, seen)
        network = self._merged(branches, seen)

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

    def _seen(self, parts: Parts, inputs: int) -> Seen:
        """Return (branches, inputs) which columns each branch sees."""
        return np.ones((self.branches, inputs), bool)

    def _branch(self, given: Any, parts: Parts, number: int) -> Any:
        """Return what a branch makes of the inputs, before its logits."""
        raise NotImplementedError

    def _network(self, parts: Parts, seen: Seen, classes: int) -> Any:
        """Return the model to train: (n, inputs) -> logits of every branch, (n, branches, C)."""
        import keras

        layers = keras.layers
        given = keras.Input((seen.shape[1],), name="features")
        logits = []
        for number, columns in enumerate(seen):
            shown = given if columns.all() else given * columns.astype(np.float32)
            logits.append(layers.Dense(classes, name=f"logits_{number}")(self._branch(shown, parts, number)))
        together = layers.Concatenate()(logits) if len(seen) > 1 else logits[0]
        return keras.Model(given, layers.Reshape((len(seen), classes))(together))

    def _merged(self, trained: Any, seen: Seen) -> Any:
        """Return one plain network whose output is the mean of the branches' logits."""
        import keras

        last = [trained.get_layer(f"logits_{number}") for number in range(len(seen))]
        for layer in last:
            layer.set_weights([weights / len(seen) for weights in layer.get_weights()])
        outputs = [layer.output for layer in last]
        mean = keras.layers.Add(name="logits")(outputs) if len(seen) > 1 else outputs[0]
        return keras.Model(trained.inputs[0], mean, name=self.name)

    def _learn(
        self,
        branches: Any,
        lesson: Lesson,
        preprocessing: Preprocessing,
        known: npt.NDArray[np.int64],
        seed: int,
        parts: Parts,
        seen: Seen,
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
            _wanted(np.tile(train.target, 2), known, len(seen)),
            sample_weight=np.tile(_weights(train, parts, seen), (2, 1)),
            validation_data=(
                preprocessing.apply(held.features),
                _wanted(held.target, known, len(seen)),
                _weights(held, parts, seen),
            ),
            epochs=self.epochs,
            batch_size=self.batch,
            callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=self.patience, restore_best_weights=True)],
            verbose=0,
        )
        return {name: [float(v) for v in curve] for name, curve in fitted.history.items()}


def _wanted(target: npt.NDArray[np.int64], known: npt.NDArray[np.int64], branches: int) -> Floats:
    """Return (n, branches, C) the same one-hot target for every branch; `known` are the classes, ascending."""
    one = np.eye(len(known), dtype=np.float32)[np.searchsorted(known, target)]
    return np.repeat(one[:, None, :], branches, axis=1)


def _weights(table: FlowTable, parts: Parts, seen: Seen) -> npt.NDArray[np.float64]:
    """Return (n, branches) balanced weights; a row counts nothing for a branch that is shown nothing of it."""
    shown = np.repeat(seen[None, :, parts.stat].any(axis=2), len(table), axis=0)
    for columns, there in (
        (parts.sequence.ravel(), parts.has_sequence(table.features)),
        (parts.context, parts.has_context(table.features)),
    ):
        shown |= seen[:, columns].any(axis=1) & there[:, None]
    return balanced_weights(table.target)[:, None] * shown


def attack_margin(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n,) the log-odds of any attack class over benign, from (n, C) logits."""
    top = logits[:, 1:].max(axis=1)
    spread = np.exp(logits[:, 1:] - top[:, None]).sum(axis=1)
    return np.asarray(top + np.log(spread) - logits[:, 0])


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (n, C) probabilities from logits."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
