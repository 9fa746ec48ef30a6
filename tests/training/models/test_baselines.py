"""The plain detectors learn what is plain, from the rows they may see."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training import made
from training.datasets.labels import CLASSES
from training.models.baselines import Supervised, baselines
from training.models.candidate import Lesson
from training.splits.grouped import later_the_same_day

BY_NAME = {one.name: one for one in baselines()}
# Sixty rounds of boosting are for real data.
BOOSTING = BY_NAME["gradient boosting"]
assert isinstance(BOOSTING, Supervised)
BUILD = BOOSTING.build


def four_rounds(seed):
    return BUILD(seed).set_params(max_iter=4)


BY_NAME["gradient boosting"] = replace(BOOSTING, build=four_rounds)


@pytest.fixture(scope="module")
def lesson():
    table = made.table(rows=40, benign=400)
    split = later_the_same_day(table)
    return Lesson(table.rows(split.train), table.rows(split.calibration))


def auc(score, lesson):
    held = lesson.calibration
    attack, quiet = score(held.features[~held.benign]), score(held.features[held.benign])
    return float(np.mean(attack[:, None] > quiet[None, :]))


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"constant"}))
def test_a_baseline_ranks_attacks_above_benign_flows(lesson, name):
    fitted = BY_NAME[name].fit(lesson, 0)
    assert auc(fitted.score, lesson) > 0.6
    assert np.isfinite(fitted.score(lesson.calibration.features)).all()


def test_the_constant_ranks_nothing(lesson):
    assert set(BY_NAME["constant"].fit(lesson, 0).score(lesson.train.features)) == {0.0}


@pytest.mark.parametrize("name", ["logistic regression", "random forest", "gradient boosting"])
def test_classes_that_were_not_learnt_have_no_probability(lesson, name):
    without = lesson.train.rows(lesson.train.target != CLASSES.index("scan"))
    fitted = BY_NAME[name].fit(Lesson(without, lesson.calibration), 0)
    assert fitted.probability is not None
    found = fitted.probability(lesson.calibration.features)
    assert found.shape == (len(lesson.calibration), len(CLASSES))
    assert (found[:, CLASSES.index("scan")] == 0).all()
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("name", [name for name, one in BY_NAME.items() if not one.seeded])
def test_a_baseline_that_claims_no_seed_has_none(lesson, name):
    rows = lesson.calibration.features
    one, other = (BY_NAME[name].fit(lesson, seed).score(rows) for seed in (0, 1))
    assert one == pytest.approx(other)
