"""Preprocessing sees train rows alone, and excluded features say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made
from tests.training.models import wire
from training.models.candidate import Lesson
from training.models.inputs import benign_medians, fit_preprocessing, silenced
from training.models.parts import Parts


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


def test_rows_without_context_change_no_statistic_of_it():
    rows = wire.table(300, 1, lacking=0.0)
    poorer = replace(rows, features=rows.features.copy())
    parts = Parts.of(wire.NAMES)
    poorer.features[:100, parts.context] = 0
    poorer.features[50:150, parts.sequence.ravel()] = 0
    fitted = fit_preprocessing(Lesson(poorer, poorer))
    for columns, there in ((parts.context, slice(100, None)), (parts.sequence.ravel(), np.r_[0:50, 150:300])):
        alone = fit_preprocessing(Lesson(rows.rows(np.arange(300)[there]), rows))
        assert np.array_equal(fitted.mean[columns], alone.mean[columns])
        assert np.array_equal(fitted.scale[columns], alone.scale[columns])
    benign = rows.features[100:][rows.benign[100:]]
    assert np.array_equal(benign_medians(poorer)[parts.context], np.median(benign[:, parts.context], axis=0))


def test_packets_alike_share_a_scale_and_one_that_never_came_is_zero():
    rows = wire.table(300, 1)
    parts = Parts.of(wire.NAMES)
    fitted = fit_preprocessing(Lesson(rows, rows), packets_alike=True)
    scales = fitted.scale[parts.sequence]
    assert (scales == scales[0]).all() and (scales > 0).all()
    seen = fitted.apply(rows.features)[:, parts.sequence]
    absent = rows.features[:, parts.sequence[:, 0]] == 0
    assert absent.any() and (seen[absent] == 0).all()
    assert (seen[~absent] ** 2).mean(axis=0) == pytest.approx(1, abs=1e-3)
