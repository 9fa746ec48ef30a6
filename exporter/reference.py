"""What a bundle must compute, computed another way: by Keras, scikit-learn and numpy themselves.

Scores come from the framework's own prediction, a network's gradient from TensorFlow's autodiff, a
forest's parts from walking its trees one by one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.forest import Forest, path_parts
from exporter.graph import family
from exporter.scoring import TYPICAL_LOGIT, LossScale, Mixture, Scoring
from sensor.errors import NettrusionError

Matrix = NDArray[np.float64]


def scores(network: Any, scoring: Scoring, rows: NDArray[np.float32]) -> tuple[Matrix, Matrix]:
    """Return score (n,) and classes (n, C) of raw rows, float32 (n, k), from the framework."""
    seen = scoring.preprocessing.apply(rows)
    if scoring.kind == "autoencoder":
        score = _anomaly(scoring, _errors(network, seen).sum(axis=1))
        return score, np.stack([1 - score, score], axis=1)
    if scoring.kind == "ensemble":
        return _mixed(network, scoring, seen)
    scaled = _logits(network, seen) / scoring.temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    classes = powers / powers.sum(axis=1, keepdims=True)
    return np.asarray(classes[:, 1:].sum(axis=1)), classes


def contributions(network: Any, scoring: Scoring, rows: NDArray[np.float32]) -> Matrix:
    """Return the contributions (n, k) of raw rows; slow for a forest, tree by tree."""
    seen = scoring.preprocessing.apply(rows)
    if scoring.kind == "autoencoder":
        return _errors(network, seen)
    if scoring.kind == "ensemble":
        return _mixed_contributions(network, scoring, seen)
    kind = family(network)
    if kind == "forest":
        parts = _parts(Forest(network), seen)
        return _margin(parts, _logits(network, seen)) / scoring.temperature
    if kind == "linear":
        weights = np.asarray(network.coef_, np.float64)
        weights = np.concatenate([0 * weights, weights]) if len(weights) == 1 else weights
        gradient = _margin(weights[None], _logits(network, seen))
    else:
        gradient = _gradient(network, seen)
    return gradient * _way(scoring, seen) / scoring.temperature


def _logits(network: Any, seen: NDArray[np.float32]) -> Matrix:
    if family(network) == "keras":
        return np.asarray(_keras_logits(network, seen).numpy(), np.float64)
    raw = np.asarray(network.decision_function(seen), np.float64)
    return np.stack([np.zeros_like(raw), raw], axis=1) if raw.ndim == 1 else raw


def _margin(by_class: Matrix, logits: Matrix) -> Matrix:
    """Return (n, k): the values (n or 1, C, k) of the likeliest attack class minus benign's."""
    best = np.argmax(logits[:, 1:], axis=1) + 1
    at = np.arange(len(logits)) if len(by_class) > 1 else np.zeros(len(logits), np.int64)
    return np.asarray(by_class[at, best] - by_class[at, 0])


def _way(scoring: Scoring, seen: NDArray[np.float32]) -> Matrix:
    """Return how far rows are from the benign medians, both as the network sees them."""
    return seen.astype(np.float64) - scoring.preprocessing.apply(scoring.medians[None, :])


def _gradient(network: Any, seen: NDArray[np.float32]) -> Matrix:
    """Return the gradient of a Keras classifier's margin by its rows, from autodiff."""
    import tensorflow as tf

    rows = tf.constant(seen)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        logits = _keras_logits(network, rows)
        margin = tf.reduce_max(logits[:, 1:], axis=1) - logits[:, 0]
    return np.asarray(tape.gradient(margin, rows), np.float64)


def _keras_logits(network: Any, rows: Any) -> Any:
    """Return what stands before the softmax at a network's end; Keras keeps it in no layer."""
    import keras

    last = network.layers[-1]
    if getattr(getattr(last, "activation", None), "__name__", "") != "softmax":
        return network(rows, training=False)
    before = keras.Model(network.inputs[0], last.input)(rows, training=False)
    if type(last).__name__ != "Dense":
        return before
    product = keras.ops.matmul(before, last.kernel)
    return product + last.bias if last.use_bias else product


def _errors(network: Any, seen: NDArray[np.float32]) -> Matrix:
    """Return each feature's part of the loss: its squared error over the number of features."""
    rebuilt = np.asarray(network(seen, training=False), np.float64)
    return np.asarray((seen - rebuilt) ** 2 / seen.shape[1])


def _anomaly(scoring: Scoring, loss: Matrix) -> Matrix:
    scale = _scale(scoring)
    power = (np.maximum(loss, 1e-30) / scale.middle) ** scale.exponent
    return np.asarray(1 - 1 / (1 + power))


def _scale(scoring: Scoring) -> LossScale:
    if scoring.loss_scale is None:
        raise NettrusionError("an autoencoder has a loss_scale")
    return scoring.loss_scale


def _mixed(network: Any, scoring: Scoring, seen: NDArray[np.float32]) -> tuple[Matrix, Matrix]:
    """Return score and classes of an ensemble; the classes share the score as their evidence says."""
    mixture = _mixture(scoring)
    logits, new = _logits(_half(network, 0), seen), _surprise(network, scoring, seen)
    margin = np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0]
    # Probabilities below 1e-30 count as that.
    margin = np.clip(margin, np.log(1e-30), -np.log(1e-30))
    total = (mixture.classifier * margin + mixture.bias) / scoring.temperature + new
    evidence = (logits[:, 1:] - logits[:, :1]) * mixture.classifier / scoring.temperature
    evidence = np.concatenate([evidence, new[:, None]], axis=1)
    shares = np.exp(evidence - np.logaddexp.reduce(evidence, axis=1)[:, None])
    score = np.exp(-np.logaddexp(0, -total))
    benign = np.exp(-np.logaddexp(0, total))
    return score, np.concatenate([benign[:, None], shares * score[:, None]], axis=1)


def _mixed_contributions(network: Any, scoring: Scoring, seen: NDArray[np.float32]) -> Matrix:
    errors = np.maximum(_errors(_half(network, 1), seen), 1e-30)
    new = errors / errors.sum(axis=1, keepdims=True) * _surprise(network, scoring, seen)[:, None]
    known = _gradient(_half(network, 0), seen) * _way(scoring, seen)
    return np.asarray(known * _mixture(scoring).classifier / scoring.temperature + new)


def _surprise(network: Any, scoring: Scoring, seen: NDArray[np.float32]) -> Matrix:
    """Return (n,) the weighted logit of the loss over that of a typical benign flow, at least 0."""
    scale = _scale(scoring)
    loss = np.maximum(_errors(_half(network, 1), seen).sum(axis=1), 1e-30)
    logit = scale.exponent * np.log(loss / scale.middle)
    return np.asarray(np.maximum(logit - TYPICAL_LOGIT, 0) * _mixture(scoring).novelty / scoring.temperature)


def _mixture(scoring: Scoring) -> Mixture:
    if scoring.mixture is None:
        raise NettrusionError("an ensemble has a mixture")
    return scoring.mixture


def _half(network: Any, output: int) -> Any:
    """Return an ensemble's classifier, output 0, or its autoencoder, output 1."""
    import keras

    return keras.Model(network.inputs[0], network.outputs[output])


def _parts(forest: Forest, seen: NDArray[np.float32]) -> Matrix:
    """Return (n, C, k): what each feature added to each class's raw value, tree by tree."""
    added = np.zeros((len(seen), forest.classes, forest.features))
    for at, nodes in forest.trees():
        parts = path_parts(nodes)
        for row, sums in zip(seen, added, strict=True):
            node = 0
            while not nodes["is_leaf"][node]:
                left = row[nodes["feature_idx"][node]] <= nodes["num_threshold"][node]
                node = int(nodes["left" if left else "right"][node])
            for feature, part in parts[node].items():
                sums[at, feature] += part
    return added
