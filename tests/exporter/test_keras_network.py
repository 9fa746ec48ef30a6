"""Keras layers and their hand-written gradients, against Keras, autodiff and finite differences."""

import numpy as np
import pytest

from exporter import graph, reference
from exporter.keras_network import KerasNetwork, describe
from exporter.preprocessing import Preprocessing
from exporter.scoring import Scoring
from sensor.errors import NettrusionError
from tests.exporter.networks import (
    CLASSIFIER,
    MEDIANS,
    PREPROCESSING,
    ROWS,
    SEEN,
    autoencoder,
    dense,
    ensemble,
    every_layer,
    packets,
)


@pytest.mark.parametrize("network", [dense, every_layer, packets])
def test_scores_and_gradients_are_those_of_keras(network):
    found = graph.run(graph.assemble(network(), CLASSIFIER), ROWS)
    score, classes = reference.scores(network(), CLASSIFIER, ROWS)
    assert np.abs(found.score - score).max() < 1e-6
    assert np.abs(found.classes - classes).max() < 1e-6
    expected = reference.contributions(network(), CLASSIFIER, ROWS)
    assert np.abs(found.contributions - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("network", [dense, every_layer, packets])
def test_contributions_are_slopes_of_the_margin_times_the_way_from_the_median(network):
    rows = SEEN[:40].astype(np.float64)
    found = graph.run(graph.assemble(network(), CLASSIFIER), ROWS[:40]).contributions
    best = network()(SEEN[:40], training=False).numpy()[:, 1:].argmax(axis=1) + 1
    step = 1e-2
    for feature in range(rows.shape[1]):
        ends = []
        for sign in (1, -1):
            moved = rows.copy()
            moved[:, feature] += sign * step
            logs = np.log(network()(moved.astype(np.float32), training=False).numpy().astype(np.float64))
            ends.append(logs[np.arange(40), best] - logs[:, 0])
        slope = (ends[0] - ends[1]) / (2 * step) / CLASSIFIER.temperature
        way = rows[:, feature] - PREPROCESSING.apply(MEDIANS[None])[0, feature]
        near = np.isclose(found[:, feature], slope * way, rtol=0.02, atol=0.01)
        assert near.mean() > 0.9  # a step over a ReLU's corner bends the rest


def test_an_autoencoder_shares_its_loss_among_the_features():
    network, scoring = autoencoder()
    found = graph.run(graph.assemble(network, scoring), ROWS)
    loss = ((SEEN - network(SEEN, training=False).numpy()) ** 2).mean(axis=1)
    assert np.allclose(found.contributions.sum(axis=1), loss, rtol=1e-4)
    assert np.array_equal(np.argsort(loss, kind="stable")[-20:], np.argsort(found.score, kind="stable")[-20:])
    assert np.allclose(found.classes[:, 1], found.score)


def test_an_ensemble_adds_what_is_known_and_what_is_new():
    network, scoring = ensemble()
    found = graph.run(graph.assemble(network, scoring), ROWS)
    score, classes = reference.scores(network, scoring, ROWS)
    assert np.abs(found.score - score).max() < 1e-6
    assert np.abs(found.classes - classes).max() < 1e-6
    assert np.allclose(found.classes.sum(axis=1), 1, atol=1e-5)
    expected = reference.contributions(network, scoring, ROWS)
    assert np.abs(found.contributions - expected).max() < 1e-4 * np.abs(expected).max()


def test_of_equal_neighbours_the_first_is_the_reason_as_keras_says():
    """Where no packet came, a convolution says the same everywhere."""
    import keras
    from keras import layers

    start = layers.Input((6,))
    wide = layers.Conv1D(3, 1, activation="relu", bias_initializer="ones")(layers.Reshape((6, 1))(start))
    network = keras.Model(start, layers.Dense(3)(layers.Flatten()(layers.MaxPooling1D(3)(wide))))
    scoring = Scoring("classifier", CLASSIFIER.classes, Preprocessing.plain(ROWS), MEDIANS)
    rows = np.array([[0] * 6, [2] * 6, [0, 0, 1, 3, 3, 0]], np.float32)
    found = graph.run(graph.assemble(network, scoring), rows).contributions
    assert found == pytest.approx(reference.contributions(network, scoring, rows), abs=1e-5)


def test_a_copy_is_exported_and_the_network_stays_as_it_was():
    before = [weights.copy() for weights in dense().get_weights()]
    layers = list(dense().layers)
    graph.assemble(dense(), CLASSIFIER)
    assert dense().layers == layers
    assert all(np.array_equal(a, b) for a, b in zip(before, dense().get_weights(), strict=True))


def test_a_description_names_the_layers_that_compute():
    assert describe(dense()) == "keras: dense 12 relu, dense 8 relu, dense 3 softmax"


def refusal(build):
    import keras
    from keras import layers

    start = layers.Input((6,))
    return keras.Model(start, build(layers, start))


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda layers, x: layers.Dense(3, activation="softmax")(layers.LayerNormalization()(x)), "LayerNorm"),
        (lambda layers, x: layers.Dense(3, activation="tanh")(x), "ends in softmax"),
        (lambda layers, x: layers.Dense(3)(layers.Dense(4, activation="softmax")(x)), "classifier's end"),
        (lambda layers, x: layers.Dense(3)(layers.Dense(4, activation="gelu")(x)), "gelu cannot be exported"),
        (lambda layers, x: layers.Dense(3)(layers.Lambda(lambda y: y)(x)), "Lambda"),
        (lambda layers, x: layers.Dense(4, activation="softmax")(x), "4 outputs does not fit"),
    ],
)
def test_what_has_no_gradient_here_is_refused(build, reason):
    with pytest.raises(NettrusionError, match=reason):
        graph.assemble(refusal(build), CLASSIFIER)


def test_two_inputs_are_refused():
    import keras
    from keras import layers

    pair = [layers.Input((6,)), layers.Input((6,))]
    with pytest.raises(NettrusionError, match="one input"):
        KerasNetwork(keras.Model(pair, layers.Dense(3)(layers.Add()(pair))), logits=True)
