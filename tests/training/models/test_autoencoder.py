"""The autoencoder learns benign flows alone."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made
from training.models.autoencoder import Autoencoder
from training.models.candidate import Lesson
from training.splits.grouped import later_the_same_day

SMALL = Autoencoder(width=16, middle=6, epochs=10, batch=64)


@pytest.fixture(scope="module")
def lesson():
    table = made.table(rows=20, benign=400)
    split = later_the_same_day(table)
    return Lesson(table.rows(split.train), table.rows(split.calibration))


@pytest.fixture(scope="module")
def fitted(lesson):
    return SMALL.fit(lesson, 0)


def test_what_is_unlike_benign_flows_is_rebuilt_badly(lesson, fitted):
    held = lesson.calibration
    score = fitted.score(held.features)
    assert np.median(score[~held.benign]) > np.quantile(score[held.benign], 0.9)


def test_attack_rows_change_nothing(lesson, fitted):
    other = replace(
        lesson,
        train=lesson.train.rows(lesson.train.benign),
        calibration=lesson.calibration.rows(lesson.calibration.benign),
    )
    rows = lesson.calibration.features
    assert np.array_equal(SMALL.fit(other, 0).score(rows), fitted.score(rows))


def test_it_knows_no_classes_and_ends_in_its_inputs(lesson, fitted):
    assert fitted.probability is None
    assert fitted.kind == "autoencoder"
    assert fitted.network.output_shape == (None, lesson.train.features.shape[1])
