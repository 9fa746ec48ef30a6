"""The classifier learns, repeats, and merges its branches into one plain network."""

import numpy as np
import pytest

from tests.training import made
from tests.training.models import wire
from training.datasets.labels import CLASSES
from training.models.branched import _weights
from training.models.candidate import Lesson
from training.models.dense import VIEWS, Dense
from training.models.parts import Parts
from training.splits.grouped import later_the_same_day

SMALL = Dense(branches=2, width=16, epochs=12, batch=128)


@pytest.fixture(scope="module")
def lesson():
    table = made.table(rows=40, benign=400)
    split = later_the_same_day(table)
    return Lesson(table.rows(split.train), table.rows(split.calibration), excluded=(table.feature_names[30],))


@pytest.fixture(scope="module")
def fitted(lesson):
    return SMALL.fit(lesson, 1)


def test_attacks_score_above_benign_flows(lesson, fitted):
    held = lesson.calibration
    score = fitted.score(held.features)
    assert np.median(score[~held.benign]) > np.quantile(score[held.benign], 0.9)
    probability = fitted.probability(held.features)
    assert probability.shape == (len(held), len(CLASSES))
    assert probability.sum(axis=1) == pytest.approx(1)


def test_the_same_seed_gives_the_same_network_and_another_another(lesson, fitted):
    rows = lesson.calibration.features
    assert np.array_equal(SMALL.fit(lesson, 1).score(rows), fitted.score(rows))
    assert not np.array_equal(SMALL.fit(lesson, 2).score(rows), fitted.score(rows))


def test_an_excluded_feature_moves_no_score(lesson, fitted):
    rows = lesson.calibration.features.copy()
    before = fitted.score(rows)
    rows[:, 30] *= 1e6
    assert np.array_equal(fitted.score(rows), before)


def test_the_merged_network_is_the_mean_of_its_branches():
    import keras

    keras.utils.set_random_seed(3)
    branches = SMALL._network(Parts.of(["a"] * 6), np.ones((2, 6), bool), 4)
    rows = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    separate = np.asarray(branches(rows)).mean(axis=1)
    merged = SMALL._merged(branches, np.ones((2, 6), bool))
    assert np.asarray(merged(rows)) == pytest.approx(separate, abs=1e-5)
    assert [type(layer).__name__ for layer in merged.layers] == ["InputLayer", *["Dense"] * 3]


def test_a_class_without_train_rows_has_no_output(lesson):
    few = lesson.train.rows(np.isin(lesson.train.family, ["benign", "scan", "bot"]))
    fitted = SMALL.fit(Lesson(few, lesson.calibration), 1)
    assert fitted.classes == ("benign", "scan", "bot")
    assert fitted.network.output_shape[-1] == 3
    assert fitted.probability is not None
    probability = fitted.probability(lesson.calibration.features)
    assert probability.shape[1] == len(CLASSES)
    assert probability[:, [CLASSES.index(name) for name in fitted.classes]].sum(axis=1) == pytest.approx(1)


def test_curves_are_kept(fitted):
    assert {"loss", "val_loss", "accuracy", "val_accuracy"} <= set(fitted.history)
    assert 1 <= len(fitted.history["loss"]) <= SMALL.epochs


def test_where_flows_have_parts_each_branch_sees_its_view():
    import keras

    keras.utils.set_random_seed(4)
    parts, model = Parts.of(wire.NAMES), Dense(width=4)
    seen = model._seen(parts, len(wire.NAMES))
    branches = model._network(parts, seen, 3)
    rows = np.random.default_rng(0).normal(size=(20, len(wire.NAMES))).astype(np.float32)
    separate = np.asarray(branches(rows))
    assert separate.shape == (20, len(VIEWS), 3)
    for name, columns in (("stat", parts.stat), ("packets", parts.sequence.ravel()), ("context", parts.context)):
        other = rows.copy()
        other[:, columns] += 1
        moved = np.abs(np.asarray(branches(other)) - separate).max(axis=(0, 2)) > 0
        assert moved.tolist() == [name in view for view in VIEWS]
    assert np.asarray(model._merged(branches, seen)(rows)) == pytest.approx(separate.mean(axis=1), abs=1e-5)


def test_a_row_teaches_no_branch_that_is_shown_nothing_of_it():
    table = wire.lesson().train
    parts, model = Parts.of(wire.NAMES), Dense()
    told = _weights(table, parts, model._seen(parts, len(wire.NAMES))) > 0
    packets, context = parts.has_sequence(table.features), parts.has_context(table.features)
    for view, counts in zip(VIEWS, told.T, strict=True):
        shown = np.full(len(table), "stat" in view) | ("packets" in view) & packets | ("context" in view) & context
        assert np.array_equal(counts, shown), view
    assert not packets.all() and not context.all()
