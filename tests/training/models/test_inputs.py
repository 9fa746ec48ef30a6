"""Preprocessing sees train rows alone, and excluded features say nothing."""

from dataclasses import replace

import numpy as np

from tests.training import made
from training.models.candidate import Lesson
from training.models.inputs import benign_medians, fit_preprocessing, silenced


def test_an_excluded_feature_is_a_constant():
    table = made.table(rows=3, benign=9)
    lesson = Lesson(table, table, excluded=(table.feature_names[4],))
    seen = fit_preprocessing(lesson).apply(table.features * 3)
    assert np.ptp(seen[:, 4]) == 0
    assert np.ptp(seen[:, 5]) > 0


def test_calibration_rows_change_no_statistic():
    table = made.table(rows=3, benign=9)
    other = replace(table, features=table.features * 1000)
    one = fit_preprocessing(Lesson(table, table))
    two = fit_preprocessing(Lesson(table, other))
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.scale, two.scale)


def test_medians_are_of_benign_rows():
    table = made.table(rows=50, benign=9)
    table.features[:, 2] = np.where(table.benign, 5.0, 900.0)
    assert benign_medians(table)[2] == 5.0


def test_trees_get_raw_values_and_never_an_excluded_one():
    table = made.table(rows=3, benign=9)
    lesson = Lesson(table, table, excluded=(table.feature_names[4],))
    seen = fit_preprocessing(lesson, plain=True).apply(table.features)
    assert np.array_equal(seen, table.features)
    assert (silenced(lesson, seen)[:, 4] == 0).all()
    assert np.array_equal(silenced(lesson, seen)[:, 5], seen[:, 5])
