"""Fit candidates on a split and judge them: the only place where a model meets a test row."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from exporter.preprocessing import Preprocessing
from training.datasets.labels import CLASSES
from training.datasets.table import FlowTable
from training.evaluation.budget import operating_point
from training.evaluation.figures import Figures, judge
from training.models.candidate import Candidate, Fitted, Floats, Kind, Lesson
from training.splits.parts import Rows, Split

Scores = npt.NDArray[np.float64]
Calls = npt.NDArray[np.int8]


def _uncalled() -> Calls:
    return np.empty(0, dtype=np.int8)


@dataclass(frozen=True, slots=True)
class Course:
    """What every fit of one run shares: the table and how its features behave.

    `elsewhere` are the raw features (m, k) of captures of other origin: asked about, never shown.
    """

    table: FlowTable
    excluded: tuple[str, ...]
    times: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    rates: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    budgets: tuple[float, ...]
    elsewhere: Floats | None = None

    def lesson(self, split: Split) -> Lesson:
        """Return what a candidate may see of a split: never its test rows."""
        return Lesson(
            self.table.rows(split.train),
            self.table.rows(split.calibration),
            self.excluded,
            self.times,
            self.rates,
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """What a fitted detector said of the rows that it was asked about; all figures come from it.

    Attributes:
        candidate: its name.
        kind: what it is.
        seed: of everything random in the fit.
        classes: names of its outputs.
        exportable: whether the exporter can write it.
        preprocessing: fitted on the train rows.
        history: a list per learning curve.
        seconds: how long the fit took.
        rows: (m,) int64, row numbers of the table, ascending.
        score: (m,) float64, larger is more like an attack.
        called: (m,) int8, the likeliest of CLASSES; empty for detectors that know none.
        elsewhere: (e,) float64, scores of captures of other origin; empty when not asked.
        elsewhere_called: (e,) int8, as `called`.
        cost_us: microseconds a flow in the sensor's session; None when not measured.
    """

    candidate: str
    kind: Kind
    seed: int
    classes: tuple[str, ...]
    exportable: bool
    preprocessing: Preprocessing
    history: dict[str, list[float]]
    seconds: float
    rows: Rows
    score: Scores
    called: Calls = field(default_factory=_uncalled)
    elsewhere: Scores = field(default_factory=lambda: np.empty(0))
    elsewhere_called: Calls = field(default_factory=_uncalled)
    cost_us: float | None = None

    def of(self, rows: Rows) -> Scores:
        """Return (n,) the scores of some rows; raises KeyError for one that was not asked about."""
        return np.asarray(self.score[self._place(rows)])

    def calls(self, rows: Rows) -> npt.NDArray[np.int64] | None:
        """Return (n,) indices into CLASSES of some rows, None for detectors that know no classes."""
        return self.called[self._place(rows)].astype(np.int64) if len(self.called) else None

    def same_words(self, other: "Answers") -> bool:
        """Whether two fits said the same, bit for bit."""
        pairs = (
            (self.rows, other.rows),
            (self.score, other.score),
            (self.called, other.called),
            (self.elsewhere, other.elsewhere),
        )
        return all(np.array_equal(one, two) for one, two in pairs)

    def _place(self, rows: Rows) -> npt.NDArray[np.int64]:
        place = np.searchsorted(self.rows, rows)
        if len(rows) and not np.array_equal(self.rows[np.minimum(place, len(self.rows) - 1)], rows):
            raise KeyError(f"{self.candidate} was not asked about some of {len(rows)} rows")
        return place


@dataclass(frozen=True, slots=True)
class Trial:
    """One fitted candidate on one split: figures on what chooses, and on what reports.

    `choosing` holds calibration rows (of a left-out family: rows that no fit has seen and no report
    uses); selection looks at nothing else. `detector` is the fitted detector where it is at hand:
    answers of an earlier, interrupted run come without.
    """

    answers: Answers
    split: Split
    choosing: Figures
    test: Figures
    detector: Fitted | None = None

    @property
    def fitted(self) -> Fitted:
        """The fitted detector; raises ValueError where only its answers are at hand."""
        if self.detector is None:
            raise ValueError(f"{self.answers.candidate}, seed {self.answers.seed}: answers alone, no detector")
        return self.detector


def seeds_of(candidate: Candidate, seeds: int) -> Iterable[int]:
    """Return the seeds to run: one is enough where the seed changes nothing."""
    return range(seeds if candidate.seeded else 1)


def asked(split: Split, table: FlowTable, choosing: Rows | None = None) -> Rows:
    """Return every row that a trial on a split is judged by, ascending."""
    chosen = split.calibration if choosing is None else np.concatenate([_held(split, table), choosing])
    return np.unique(np.concatenate([chosen, split.test]))


def ask(fitted: Fitted, course: Course, rows: Rows, *, elsewhere: bool = False) -> Answers:
    """Ask a fitted detector about rows of the table, and about captures of other origin if wanted."""
    features = course.table.features[rows]
    abroad = course.elsewhere if elsewhere else None
    return Answers(
        candidate=fitted.candidate,
        kind=fitted.kind,
        seed=fitted.seed,
        classes=fitted.classes,
        exportable=fitted.network is not None,
        preprocessing=fitted.preprocessing,
        history=fitted.history,
        seconds=0.0,
        rows=rows,
        score=np.asarray(fitted.score(features), dtype=np.float64),
        called=_called(fitted, features),
        elsewhere=np.empty(0) if abroad is None else np.asarray(fitted.score(abroad), dtype=np.float64),
        elsewhere_called=_uncalled() if abroad is None else _called(fitted, abroad),
    )


def run(candidate: Candidate, course: Course, split: Split, seed: int, choosing: Rows | None) -> Trial:
    """Fit on train, set thresholds on benign calibration rows, judge on `choosing` and test.

    Args:
        candidate: what to fit.
        course: table and budgets.
        split: its parts.
        seed: of everything random in the fit.
        choosing: attack rows to compare candidates on; the split's own calibration rows if None.
    """
    fitted = candidate.fit(course.lesson(split), seed)
    return judged(ask(fitted, course, asked(split, course.table, choosing)), course, split, choosing, fitted)


def judged(
    answers: Answers, course: Course, split: Split, choosing: Rows | None, detector: Fitted | None = None
) -> Trial:
    """Judge what a detector said that was fitted on the split's train rows, or on its benign ones alone."""
    table = course.table
    held = _held(split, table)
    points = [operating_point(answers.of(held), rate) for rate in course.budgets]
    chosen_from = split.calibration if choosing is None else np.concatenate([held, choosing])
    calls = answers.calls(split.test)
    return Trial(
        answers,
        split,
        judge(table.rows(chosen_from), answers.of(chosen_from), points),
        judge(
            table.rows(split.test),
            answers.of(split.test),
            points,
            None if calls is None else np.eye(len(CLASSES))[calls],
        ),
        detector,
    )


def _held(split: Split, table: FlowTable) -> Rows:
    """Return the benign calibration rows, by which thresholds are set."""
    return split.calibration[table.benign[split.calibration]]


def _called(fitted: Fitted, features: Floats) -> Calls:
    if fitted.probability is None:
        return _uncalled()
    return np.asarray(fitted.probability(features).argmax(axis=1), dtype=np.int8)
