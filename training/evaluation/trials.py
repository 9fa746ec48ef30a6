"""Fit candidates on a split and judge them: the only place where a model meets a test row."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from training.datasets.table import FlowTable
from training.evaluation.budget import operating_point
from training.evaluation.figures import Figures, judge
from training.models.candidate import Candidate, Fitted, Lesson
from training.splits.parts import Rows, Split


@dataclass(frozen=True, slots=True)
class Course:
    """What every fit of one run shares: the table and how its features behave."""

    table: FlowTable
    excluded: tuple[str, ...]
    times: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    rates: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    budgets: tuple[float, ...]

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
class Trial:
    """One fitted candidate on one split: figures on what chooses, and on what reports.

    `choosing` holds calibration rows (of a left-out family: rows that no fit has seen and no report
    uses); selection looks at nothing else.
    """

    fitted: Fitted
    split: Split
    choosing: Figures
    test: Figures


def seeds_of(candidate: Candidate, seeds: int) -> Iterable[int]:
    """Return the seeds to run: one is enough where the seed changes nothing."""
    return range(seeds if candidate.seeded else 1)


def run(candidate: Candidate, course: Course, split: Split, seed: int, choosing: Rows | None) -> Trial:
    """Fit on train, set thresholds on benign calibration rows, judge on `choosing` and test.

    Args:
        candidate: what to fit.
        course: table and budgets.
        split: its parts.
        seed: of everything random in the fit.
        choosing: attack rows to compare candidates on; the split's own calibration rows if None.
    """
    return judged(candidate.fit(course.lesson(split), seed), course, split, choosing)


def judged(fitted: Fitted, course: Course, split: Split, choosing: Rows | None) -> Trial:
    """Judge a detector that was fitted on the split's train rows, or on its benign ones alone."""
    table = course.table
    calibration = table.rows(split.calibration)
    benign = fitted.score(calibration.rows(calibration.benign).features)
    points = [operating_point(benign, rate) for rate in course.budgets]
    chosen_from = calibration
    if choosing is not None:
        held = split.calibration[table.benign[split.calibration]]
        chosen_from = table.rows(np.concatenate([held, choosing]))
    test = table.rows(split.test)
    return Trial(
        fitted,
        split,
        judge(chosen_from, fitted.score(chosen_from.features), points),
        judge(
            test,
            fitted.score(test.features),
            points,
            fitted.probability(test.features) if fitted.probability else None,
        ),
    )
