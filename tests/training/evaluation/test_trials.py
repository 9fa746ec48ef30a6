"""A fit never sees a test row; nor does what chooses between fits."""

import numpy as np
import pytest

from tests.training import made
from tests.training.runs import Spy, identities, quick
from training.evaluation import trials
from training.evaluation.trials import Course
from training.splits.family import held_back, leave_one_family_out
from training.splits.grouped import later_the_same_day


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


def test_answers_know_which_rows_they_are_of():
    table = made.table()
    split = later_the_same_day(table)
    answers = trials.run(Spy(), course(table), split, 0, None).answers
    assert np.array_equal(answers.of(split.test[::-1]), table.features[split.test[::-1], 20])
    assert answers.calls(split.test) is None
    with pytest.raises(KeyError, match="spy was not asked"):
        answers.of(split.train)


def test_classes_are_kept_as_the_likeliest_alone():
    table = made.table()
    split = later_the_same_day(table)
    trial = trials.run(quick("logistic regression"), course(table), split, 0, None)
    calls, probability = trial.answers.calls(split.test), trial.fitted.probability
    assert calls is not None
    assert probability is not None
    assert np.array_equal(calls, probability(table.features[split.test]).argmax(axis=1))
    assert trial.test.macro_f1 is not None
