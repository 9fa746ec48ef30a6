"""Learnt here, tested there: plain detectors across days, releases and captures of other origin.

A learner is told benign from attack, each row counting alike, and asked about every class there is
elsewhere. Benign flows of captures count by capture: the largest of them has a hundred times the flows
of the median one. A row of a day counts as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import captures as days
from training.datasets import cicids2017
from training.datasets.labels import RULES
from training.datasets.table import FlowTable, join
from training.evaluation import transfer
from training.models.candidate import Lesson
from training.models.inputs import fit_preprocessing
from training.models.reproducible import one_thread

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]
RATE = 1e-2
LABEL_ROWS = 5_000
"""At most so many attack rows of a label are learnt, evenly spread over time: as many as the release's sample has."""
OWN = 0.5
"""The threshold that a learner comes with: more attack than benign."""

MEANS: Mapping[str, str] = {name: rule.family for name, rule in RULES.items() if rule.label != rule.family}
"""What the classes of captures and releases are called in our recordings."""


@dataclass(frozen=True, slots=True)
class Learner:
    """A recipe; `plain` learners get raw values, others standardised logarithms. Some have no use for a seed."""

    name: str
    build: Callable[[int], Any]
    plain: bool = True
    seeded: bool = True

    def fit(self, table: FlowTable, seed: int) -> Callable[[npt.NDArray[np.float32]], Floats]:
        """Return a function from raw features to scores, 0 to 1."""
        preprocessing = fit_preprocessing(Lesson(table, table), plain=self.plain)
        model = self.build(seed)
        with one_thread():
            model.fit(preprocessing.apply(table.features), ~table.benign)

        def score(rows: npt.NDArray[np.float32]) -> Floats:
            with one_thread():
                return np.asarray(model.predict_proba(preprocessing.apply(rows))[:, 1], dtype=np.float64)

        return score


def learners() -> list[Learner]:
    """Return the plain detectors that are compared."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    return [
        Learner("logistic regression", lambda seed: LogisticRegression(max_iter=2000), plain=False, seeded=False),
        Learner(
            "random forest",
            lambda seed: RandomForestClassifier(60, max_depth=14, min_samples_leaf=2, n_jobs=1, random_state=seed),
        ),
        Learner("gradient boosting", lambda seed: HistGradientBoostingClassifier(random_state=seed)),
    ]


@dataclass(frozen=True, slots=True)
class Exam:
    """Flows to be asked about.

    Attributes:
        name: what they are.
        features: (n, k) float32.
        group: (n,) the class of each attack flow; `benign` for the others.
        weight: (n,) float64, how much each flow counts; only that of benign flows is used.
    """

    name: str
    features: npt.NDArray[np.float32]
    group: npt.NDArray[np.str_]
    weight: Floats


@dataclass(frozen=True, slots=True)
class Marks:
    """What one fit reached: by class the ROC-AUC against benign and the recall at RATE, and false alerts at OWN."""

    auc: dict[str, float]
    recall: dict[str, float]
    false_positive_rate: float


@dataclass(frozen=True, slots=True)
class Course:
    """The captures of other origin, the features, and how many seeds."""

    captures: Path
    labels: Path
    flow_labels: Path
    feature_set: str
    variant: str
    seeds: int = 5


@dataclass(frozen=True, slots=True)
class Crossing:
    """All marks: by learner, by what was learnt, by exam, one a seed. `learnt` says of which classes."""

    marks: dict[str, dict[str, dict[str, list[Marks]]]]
    learnt: dict[str, dict[str, int]]
    flows: dict[str, dict[str, int]]


def run(
    course: Course,
    places: Sequence[Path],
    release: Sequence[Path],
    lists: tuple[Sequence[str], Sequence[str]],
    say: Say,
) -> Crossing:
    """Fit every learner on the days, on the release and on both, and ask it about what it has not seen.

    `lists` names the days to learn from and those to test on; empty: the first, and all others.
    Raises NettrusionError when there is nothing to learn from, or a day is not there.
    """
    from sensor.features import FeatureSet

    feature_set = FeatureSet.load(course.feature_set)
    lessons: dict[str, FlowTable] = {}
    exams = [abroad(transfer.load(course.captures, course.labels, course.flow_labels, feature_set, course.variant))]
    if places:
        table = days.load(places, feature_set, course.variant).table
        learnt, tested = _days(table.sources, *lists)
        lessons["testbed"] = thinned(table.rows(np.isin(table.origin, learnt)))
        if tested:
            exams.insert(0, of_day(table.rows(np.isin(table.origin, tested))))
    if release:
        lessons["CICIDS2017"] = thinned(cicids2017.load(release, feature_set, course.variant).table)
    if len(lessons) == 2:
        lessons["both"] = join(list(lessons.values()))
    if not lessons:
        raise NettrusionError("nothing to learn from: name recordings, or the release with --cicids")
    marks: dict[str, dict[str, dict[str, list[Marks]]]] = {}
    for learner in learners():
        marks[learner.name] = {}
        for name, lesson in lessons.items():
            say(f"{learner.name} on {name}: {len(lesson):,} flows")
            fits = [learner.fit(lesson, seed) for seed in range(course.seeds if learner.seeded else 1)]
            marks[learner.name][name] = {exam.name: [mark(exam, fit(exam.features)) for fit in fits] for exam in exams}
    return Crossing(
        marks, {name: _counts(one.family) for name, one in lessons.items()}, {e.name: _counts(e.group) for e in exams}
    )


def mark(exam: Exam, score: Floats) -> Marks:
    """Return what scores (n,) of an exam's flows are worth."""
    from sklearn.metrics import roc_auc_score

    benign = exam.group == "benign"
    quiet, weight = score[benign], exam.weight[benign]
    threshold = threshold_at(quiet, weight, RATE)
    auc, recall = {}, {}
    for name in sorted(set(exam.group[~benign].tolist())):
        own = score[exam.group == name]
        truth = np.concatenate([np.zeros(len(quiet)), np.ones(len(own))])
        counts = np.concatenate([weight / weight.sum(), np.full(len(own), 1 / len(own))])
        auc[name] = float(roc_auc_score(truth, np.concatenate([quiet, own]), sample_weight=counts))
        recall[name] = float((own > threshold).mean())
    return Marks(auc, recall, float(np.average(quiet >= OWN, weights=weight)))


def threshold_at(score: Floats, weight: Floats, rate: float) -> float:
    """Return the lowest score that at most `rate` of the weight lies above, strictly; `rate` is below 1."""
    order = np.argsort(-score, kind="stable")
    ranked, above = score[order], np.cumsum(weight[order]) / weight.sum()
    loud = np.flatnonzero(above > rate * (1 + 1e-12))
    return float(ranked[loud[0]])


def abroad(flows: transfer.Elsewhere) -> Exam:
    """Return the captures of other origin as an exam: benign captures count alike, whatever their size."""
    kept = flows.attack | np.char.startswith(flows.group, "benign-")
    benign = kept & ~flows.attack
    group = np.where(benign, "benign", flows.group)
    sizes = np.bincount(flows.file[benign], minlength=len(flows.captures))
    weight = 1.0 / np.maximum(sizes, 1)[flows.file]
    return Exam("real captures", flows.features[kept], group[kept], weight[kept])


def of_day(table: FlowTable) -> Exam:
    """Return days of the testbed as an exam."""
    return Exam("another day", table.features, table.family, np.ones(len(table)))


def thinned(table: FlowTable, limit: int = LABEL_ROWS) -> FlowTable:
    """Return the rows that are learnt: all benign ones, of every attack label at most `limit`.

    Labels that are no class of their own are learnt as attacks too: nobody is asked which class it is.
    """
    kept = [np.flatnonzero(table.benign)]
    for label in np.unique(table.label[~table.benign]):
        rows = np.flatnonzero(table.label == label)
        kept.append(rows if len(rows) <= limit else rows[np.linspace(0, len(rows) - 1, limit).astype(int)])
    return table.rows(np.sort(np.concatenate(kept)))


def _days(known: Sequence[str], train: Sequence[str], test: Sequence[str]) -> tuple[list[str], list[str]]:
    if unknown := [name for name in (*train, *test) if name not in known]:
        raise NettrusionError(f"no day {', '.join(unknown)}; there are {', '.join(known)}")
    if both := set(train) & set(test):
        raise NettrusionError(f"{', '.join(sorted(both))}: learnt from and tested on; a day has one part")
    learnt = list(train) or [name for name in known if name not in test][:1]
    return learnt, list(test) or [name for name in known if name not in learnt]


def _counts(names: npt.NDArray[np.str_]) -> dict[str, int]:
    found, count = np.unique(names, return_counts=True)
    return {str(name): int(number) for name, number in zip(found, count, strict=True)}
