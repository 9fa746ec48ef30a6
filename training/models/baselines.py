"""The plain detectors that a network has to beat at the alert budget, or stay at home."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.models.candidate import Fitted, Floats, Lesson, balanced_weights, log_odds
from training.models.crowd import busier
from training.models.inputs import fit_preprocessing, silenced
from training.models.parts import Parts
from training.models.reproducible import one_thread

Build = Callable[[int], Any]
BUSY = 30.0
"""How many times harder attacks of the second copy may be run, as for networks."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Every flow gets the same score: what a figure looks like when nothing was learnt."""

    name: str = "constant"
    seeded: bool = False
    benign_only: bool = True

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Learn nothing."""
        preprocessing = fit_preprocessing(lesson)
        return Fitted(self.name, "baseline", seed, preprocessing, score=lambda rows: np.zeros(len(rows)))


@dataclass(frozen=True, slots=True)
class Supervised:
    """A scikit-learn classifier over CLASSES, or over benign and attack when `binary`.

    `plain` is for trees, which are given raw values.

    `exportable` says whether the exporter can write its contributions into the graph.
    """

    name: str
    build: Build
    plain: bool = False
    seeded: bool = False
    binary: bool = False
    exportable: bool = False
    benign_only: bool = False

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Fit on the train rows with the weights that the network gets."""
        preprocessing = fit_preprocessing(lesson, plain=self.plain)
        target = lesson.train.target
        wanted = (target > 0).astype(np.int64) if self.binary else target
        model = self.build(seed)
        rows, copies = _twice(lesson, seed)
        with one_thread():
            model.fit(
                silenced(lesson, preprocessing.apply(rows)),
                np.tile(wanted, copies),
                sample_weight=np.tile(balanced_weights(target), copies),
            )

        def probability(rows: Floats) -> npt.NDArray[np.float64]:
            with one_thread():
                found = model.predict_proba(preprocessing.apply(rows))
            columns = 2 if self.binary else len(CLASSES)
            full = np.zeros((len(rows), columns))
            full[:, model.classes_] = found
            return full

        return Fitted(
            self.name,
            "baseline",
            seed,
            preprocessing,
            score=lambda rows: log_odds(probability(rows)),
            probability=None if self.binary else probability,
            network=model if self.exportable else None,
            classes=tuple(CLASSES[int(number)] for number in model.classes_),
        )


@dataclass(frozen=True, slots=True)
class Novelty:
    """A detector fitted on benign rows alone; `score` of a fitted model is larger when unlike them."""

    name: str
    build: Build
    score: Callable[[Any, Floats], npt.NDArray[np.float64]]
    seeded: bool = False
    benign_only: bool = True

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        """Fit on the benign train rows."""
        benign = lesson.train.rows(lesson.train.benign)
        preprocessing = fit_preprocessing(
            Lesson(benign, lesson.calibration, lesson.excluded, lesson.times, lesson.rates)
        )
        model = self.build(seed)
        model.fit(preprocessing.apply(benign.features))
        return Fitted(
            self.name,
            "baseline",
            seed,
            preprocessing,
            score=lambda rows: self.score(model, preprocessing.apply(rows)),
        )


def _twice(lesson: Lesson, seed: int) -> tuple[Floats, int]:
    """Return the train rows and, where they have a context, the busier copy that networks get too; and how many."""
    rows = lesson.train.features
    if not Parts.of(lesson.train.feature_names).context.size:
        return rows, 1
    return np.concatenate([rows, busier(rows, lesson, BUSY, seed)]), 2


def _rebuild_loss(model: Any, rows: Floats) -> npt.NDArray[np.float64]:
    rebuilt = model.inverse_transform(model.transform(rows))
    return np.asarray(np.log(np.mean((rows - rebuilt) ** 2, axis=1) + 1e-12), dtype=np.float64)


def baselines() -> list[Constant | Supervised | Novelty]:
    """Return every baseline, the simplest first."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        IsolationForest,
        RandomForestClassifier,
    )
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    return [
        Constant(),
        Supervised(
            "stump",
            lambda seed: DecisionTreeClassifier(max_depth=1, random_state=seed),
            plain=True,
            binary=True,
        ),
        Supervised(
            "logistic regression",
            lambda seed: LogisticRegression(max_iter=300, C=1.0, random_state=seed),
            exportable=True,
        ),
        Supervised(
            "random forest",
            lambda seed: RandomForestClassifier(60, max_depth=14, min_samples_leaf=2, n_jobs=1, random_state=seed),
            plain=True,
            seeded=True,
        ),
        Supervised(
            "gradient boosting",
            lambda seed: HistGradientBoostingClassifier(
                max_iter=60,
                max_leaf_nodes=15,
                max_bins=63,
                # A dozen rows of a rare class weigh much each: without these its leaves grow until scores are 0 or 1.
                min_samples_leaf=40,
                l2_regularization=1.0,
                early_stopping=False,
                random_state=seed,
            ),
            plain=True,
            exportable=True,
        ),
        Novelty("pca", lambda seed: PCA(0.95, svd_solver="full", random_state=seed), _rebuild_loss),
        Novelty(
            "isolation forest",
            lambda seed: IsolationForest(n_estimators=100, random_state=seed),
            lambda model, rows: np.asarray(-model.score_samples(rows)),
            seeded=True,
        ),
    ]
