"""The reference itself, on a network small enough for paper."""

import numpy as np
import pytest

from exporter import reference
from exporter.preprocessing import Preprocessing
from exporter.scoring import Scoring
from tests.exporter.networks import autoencoder
from tests.sensor.detector.made import forest, linear, sample

ROWS, _ = sample(30, seed=6)


def test_a_network_of_one_unit_is_what_paper_says():
    import keras
    from keras import layers

    # margin = 3 * relu(2 x) - 1; the raw value passes the preprocessing untouched
    network = keras.Sequential(
        [layers.Input((1,)), layers.Dense(1, activation="relu"), layers.Dense(2, activation="softmax")]
    )
    network.set_weights([np.array([[2.0]]), np.array([0.0]), np.array([[0.0, 3.0]]), np.array([0.0, -1.0])])
    rows = np.array([[1.5], [-4.0]], np.float32)
    scoring = Scoring("classifier", ("benign", "dos"), Preprocessing.plain(rows), np.array([0.5], np.float32))
    score, classes = reference.scores(network, scoring, rows)
    assert score == pytest.approx([1 / (1 + np.exp(-8)), 1 / (1 + np.exp(1))])
    assert classes[:, 1] == pytest.approx(score)
    assert reference.contributions(network, scoring, rows).ravel() == pytest.approx([6 * (1.5 - 0.5), 0])


@pytest.mark.parametrize("made", [linear, forest])
def test_scores_of_scikit_learn_are_its_own(made):
    network, scoring = made()
    score, classes = reference.scores(network, scoring, ROWS)
    assert np.allclose(classes, network.predict_proba(scoring.preprocessing.apply(ROWS)))
    assert np.allclose(score, 1 - classes[:, 0])


def test_an_autoencoders_parts_add_up_to_its_loss():
    network, scoring = autoencoder()
    score, _ = reference.scores(network, scoring, ROWS)
    loss = reference.contributions(network, scoring, ROWS).sum(axis=1)
    scale = scoring.loss_scale
    assert scale is not None
    power = loss**scale.exponent
    assert score == pytest.approx(power / (power + scale.middle**scale.exponent))
