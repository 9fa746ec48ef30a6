"""A network without sequences says what the one with them said."""

import numpy as np
import pytest

from exporter.unroll import LAYERS, banded, unrolled
from sensor.errors import NettrusionError
from tests.exporter.networks import SEEN, dense, every_layer, packets

ROWS = np.random.default_rng(0).normal(size=(50, 24)).astype(np.float32)
FLAT = {"InputLayer", "Dense", "Activation", "BatchNormalization", "Add", "Concatenate", "Maximum", "Columns"}


def model(build):
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    start = layers.Input((24,))
    return keras.Model(start, build(layers, layers.Reshape((12, 2))(start)))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 12])
def test_a_convolution_is_its_matrix(kernel, stride, padding):
    network = model(lambda layers, x: layers.Flatten()(layers.Conv1D(3, kernel, strides=stride, padding=padding)(x)))
    kernels = network.layers[2].get_weights()[0]
    matrix = banded(kernels, 12, stride, padded=padding == "same")
    assert ROWS @ matrix == pytest.approx(np.asarray(network(ROWS)), abs=1e-5)
    assert np.asarray(unrolled(network)(ROWS)) == pytest.approx(np.asarray(network(ROWS)), abs=1e-5)


@pytest.mark.parametrize(
    "build",
    [
        lambda layers, x: layers.Flatten()(layers.MaxPooling1D(3)(x)),
        lambda layers, x: layers.Flatten()(layers.MaxPooling1D(1)(x)),
        lambda layers, x: layers.Flatten()(layers.Cropping1D((2, 3))(x)),
        lambda layers, x: layers.Flatten()(layers.Add()([x, layers.Activation("tanh")(x)])),
    ],
)
def test_a_layer_along_a_sequence_is_the_same_on_rows(build):
    network = model(build)
    flat = unrolled(network)
    assert np.array_equal(flat(ROWS), network(ROWS))
    assert {type(layer).__name__ for layer in flat.layers} <= FLAT


@pytest.mark.parametrize("network", [dense, every_layer, packets])
def test_whole_networks_stay_what_they_are(network):
    before = [type(layer).__name__ for layer in network().layers]
    assert np.asarray(unrolled(network())(SEEN)) == pytest.approx(np.asarray(network()(SEEN)), abs=1e-6)
    assert [type(layer).__name__ for layer in network().layers] == before


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda layers, x: layers.LSTM(3)(x), "LSTM"),
        (lambda layers, x: layers.Flatten()(layers.Dense(3)(x)), "only on rows"),
        (lambda layers, x: layers.Flatten()(layers.BatchNormalization()(x)), "only on rows"),
        (lambda layers, x: layers.Flatten()(layers.Concatenate()([x, x])), "only on rows"),
        (lambda layers, x: layers.Flatten()(layers.MaxPooling1D(3, strides=2)(x)), "side by side"),
        (lambda layers, x: layers.Flatten()(layers.MaxPooling1D(5)(x)), "side by side"),
        (lambda layers, x: layers.Flatten()(layers.Conv1D(2, 3, dilation_rate=2)(x)), "plain convolution"),
        (lambda layers, x: layers.Flatten()(layers.Conv1D(2, 3, padding="causal")(x)), "plain convolution"),
    ],
)
def test_what_has_no_rule_is_refused(build, reason):
    with pytest.raises(NettrusionError, match=reason):
        unrolled(model(build))


def test_every_layer_is_tried_somewhere():
    tried = {type(layer).__name__ for network in (dense(), every_layer(), packets()) for layer in network.layers}
    assert tried | {"InputLayer"} == LAYERS
