"""Branches learn side by side, and their mean is one network."""

import numpy as np
import pytest

from tests.training import made
from tests.training.models import wire
from training.models.branched import attack_margin, softmax
from training.models.candidate import Lesson
from training.models.parts import Parts
from training.models.residual import Residual
from training.models.sequence import Sequence
from training.splits.grouped import later_the_same_day

SMALL = [
    Residual(width=12, blocks=1, epochs=6, batch=64),
    Sequence(filters=4, width=8, epochs=10, batch=64),
]


@pytest.fixture(scope="module", params=SMALL, ids=lambda one: one.name)
def fitted(request):
    return request.param, request.param.fit(wire.lesson(), 1)


def test_attacks_score_above_benign_flows(fitted):
    held = wire.lesson().calibration
    score = fitted[1].score(held.features)
    assert np.median(score[~held.benign]) > np.quantile(score[held.benign], 0.9)
    assert fitted[1].probability(held.features).sum(axis=1) == pytest.approx(1)
    assert fitted[1].classes == ("benign", "scan", "bruteforce")


def test_the_same_seed_gives_the_same_network(fitted):
    candidate, one = fitted
    rows = wire.lesson().calibration.features
    assert np.array_equal(candidate.fit(wire.lesson(), 1).score(rows), one.score(rows))


@pytest.mark.parametrize("candidate", SMALL, ids=lambda one: one.name)
def test_the_merged_network_is_the_mean_of_its_branches(candidate):
    import keras

    keras.utils.set_random_seed(3)
    seen = np.ones((2, len(wire.NAMES)), bool)
    branches = candidate._network(Parts.of(wire.NAMES), seen, 3)
    rows = np.random.default_rng(0).normal(size=(20, len(wire.NAMES))).astype(np.float32)
    separate = np.asarray(branches(rows))
    assert separate.shape == (20, 2, 3)
    assert np.asarray(candidate._merged(branches, seen)(rows)) == pytest.approx(separate.mean(axis=1), abs=1e-5)


def test_statistics_alone_are_enough_for_blocks():
    table = made.table(rows=10, benign=100)
    split = later_the_same_day(table)
    lesson = Lesson(table.rows(split.train), table.rows(split.calibration))
    fitted = Residual(width=8, blocks=1, epochs=1, batch=64).fit(lesson, 1)
    assert np.isfinite(fitted.score(lesson.calibration.features)).all()


def test_the_margin_is_the_log_odds_of_any_attack():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05]]))
    assert attack_margin(logits) == pytest.approx([0.0, np.log(0.1 / 0.9)])
    assert softmax(logits + 7) == pytest.approx(np.exp(logits))
