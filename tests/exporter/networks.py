"""Tiny Keras networks, built and trained once a session; importing TensorFlow is what costs."""

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.beside import beside
from exporter.preprocessing import Preprocessing
from exporter.scoring import LossScale, Mixture, Scoring
from tests.sensor.detector.made import CLASSES, K, sample

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

ROWS, LABELS = sample(300)
PREPROCESSING = Preprocessing.fit(ROWS)
SEEN = PREPROCESSING.apply(ROWS)
MEDIANS: NDArray[np.float32] = np.median(ROWS[LABELS == 0], axis=0)
CLASSIFIER = Scoring("classifier", CLASSES, PREPROCESSING, MEDIANS, temperature=1.25)


@cache
def dense() -> Any:
    """Return a plain classifier: what the bundled model looks like, small."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            layers.Input((K,)),
            layers.Dense(12, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(8, activation="relu"),
            layers.Dense(len(CLASSES), activation="softmax"),
        ]
    )
    return trained(network)


@cache
def every_layer() -> Any:
    """Return a functional classifier with every layer and activation that can be exported."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(2)
    start = layers.Input((K,))
    wide = layers.GaussianNoise(0.1)(layers.Dense(10, activation="relu")(start))
    turned = layers.BatchNormalization()(layers.Dense(10, use_bias=False)(wide))
    turned = layers.Activation("tanh")(turned)
    added = layers.GaussianDropout(0.1)(layers.Add()([wide, turned]))
    joined = layers.Concatenate()([added, start])
    bent = layers.Dense(6, activation="elu")(joined)
    bent = layers.ActivityRegularization(l2=1e-6)(layers.Dense(6, activation="sigmoid")(bent))
    logits = layers.Dense(len(CLASSES))(bent)
    return trained(keras.Model(start, layers.Activation("softmax")(logits)))


@cache
def packets() -> Any:
    """Return a functional classifier that takes a row apart and convolves along a piece of it."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    start = layers.Input((K,))
    piece = layers.Cropping1D((1, 1))(layers.Reshape((K, 1))(start))
    wide = layers.Conv1D(4, 3, padding="same", activation="relu")(piece)
    pooled = layers.MaxPooling1D(2)(wide)
    narrow = layers.Flatten()(layers.Conv1D(3, 2, activation="tanh")(pooled))
    joined = layers.Concatenate()([narrow, layers.Dense(5, activation="relu")(start)])
    return trained(keras.Model(start, layers.Dense(len(CLASSES), activation="softmax")(joined)))


@cache
def ensemble() -> tuple[Any, Scoring]:
    """Return a classifier beside an autoencoder in one network, and its scoring."""
    mirror, scoring = autoencoder()
    network = beside(packets(), mirror)
    return network, Scoring(
        "ensemble",
        (*CLASSES, "anomaly"),
        PREPROCESSING,
        MEDIANS,
        temperature=1.25,
        loss_scale=scoring.loss_scale,
        mixture=Mixture(0.8, 0.6, -0.3),
    )


@cache
def autoencoder() -> tuple[Any, Scoring]:
    """Return a denoising autoencoder of benign rows and its scoring."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            layers.Input((K,)),
            layers.GaussianNoise(0.1),
            layers.Dense(3, activation="relu", activity_regularizer="l2"),
            layers.Dense(K),
        ]
    )
    benign = SEEN[LABELS == 0]
    network.compile("adam", "mse")
    network.fit(benign, benign, epochs=3, verbose=0)
    losses = ((benign - network(benign, training=False).numpy()) ** 2).mean(axis=1)
    scale = LossScale.fit(losses)
    return network, Scoring("autoencoder", ("benign", "anomaly"), PREPROCESSING, MEDIANS, loss_scale=scale)


def trained(network: Any) -> Any:
    """Train a classifier a little: enough that no two classes are alike."""
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(SEEN, LABELS, epochs=4, verbose=0)
    return network
