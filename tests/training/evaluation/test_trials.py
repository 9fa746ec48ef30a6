"""A fit never sees a test row; nor does what chooses between fits."""

from dataclasses import dataclass, field

import numpy as np

from tests.training import made
from training.evaluation import trials
from training.evaluation.trials import Course
from training.models.candidate import Fitted, Lesson
from training.models.inputs import fit_preprocessing
from training.splits.family import held_back, leave_one_family_out
from training.splits.grouped import later_the_same_day


@dataclass
class Spy:
    """A candidate that notes which rows it was shown, and scores by one feature."""

    name: str = "spy"
    seeded: bool = True
    benign_only: bool = False
    shown: list[set[bytes]] = field(default_factory=list)

    def fit(self, lesson: Lesson, seed: int) -> Fitted:
        self.shown.append(identities(lesson.train) | identities(lesson.calibration))
        return Fitted("spy", "baseline", seed, fit_preprocessing(lesson), lambda rows: rows[:, 20].astype(np.float64))


def identities(table):
    return {row.tobytes() for row in table.features}


def course(table):
    return Course(table, (), np.array([1]), np.array([2]), (0.05,))


def test_fit_never_sees_a_test_row():
    table = made.table()
    base = later_the_same_day(table)
    spy = Spy()
    for split in [base, *leave_one_family_out(base, table)]:
        trials.run(spy, course(table), split, 0, None)
        assert not spy.shown[-1] & identities(table.rows(split.test))
        assert not spy.shown[-1] & identities(table.rows(split.purged))
    assert len(spy.shown) == 8


def test_a_left_out_family_is_chosen_on_rows_that_neither_fit_nor_report_uses():
    table = made.table()
    base = later_the_same_day(table)
    split = next(leave_one_family_out(base, table))
    rows = held_back(base, split, table)
    spy = Spy()
    trial = trials.run(spy, course(table), split, 0, rows)
    assert set(trial.choosing.budgets[0].recall) == set(split.unseen)
    assert not identities(table.rows(rows)) & (spy.shown[0] | identities(table.rows(split.test)))


def test_the_threshold_comes_from_benign_calibration_rows():
    table = made.table()
    split = later_the_same_day(table)
    trial = trials.run(Spy(), course(table), split, 0, None)
    held = table.rows(split.calibration)
    false = held.features[held.benign][:, 20] >= trial.test.budgets[0].threshold
    assert 0 < false.mean() <= 0.05
    assert trial.choosing.budgets[0].false_positive_rate == false.mean()


def test_one_seed_is_enough_where_it_changes_nothing():
    assert list(trials.seeds_of(Spy(seeded=False), 5)) == [0]
    assert list(trials.seeds_of(Spy(), 3)) == [0, 1, 2]
