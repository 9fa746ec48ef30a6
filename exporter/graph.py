"""One ONNX graph of preprocessing, network and score head; and running it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from exporter import heads
from exporter.forest import Forest
from exporter.scoring import Scoring
from exporter.sheet import Sheet
from sensor.detector.session import BATCH, Session
from sensor.errors import NettrusionError


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """A graph's outputs for n rows: score (n,), classes (n, C), contributions (n, k), float32."""

    score: NDArray[np.float32]
    classes: NDArray[np.float32]
    contributions: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Written:
    """A finished graph, what network it holds, and which kind of contributions it makes."""

    model: onnx.ModelProto
    network: str
    contributions: str


def family(network: Any) -> str:
    """Return `forest`, `linear` or `keras`; raises NettrusionError for what cannot be exported."""
    kind = type(network).__name__
    module = type(network).__module__.split(".")[0]
    if module == "sklearn" and kind == "HistGradientBoostingClassifier":
        return "forest"
    if module == "sklearn" and kind == "LogisticRegression":
        return "linear"
    if module == "keras":
        return "keras"
    raise NettrusionError(
        f"a {module} {kind} cannot be exported; a Keras network, LogisticRegression and"
        " HistGradientBoostingClassifier can"
    )


def write(network: Any, scoring: Scoring) -> Written:
    """Return the graph of a trained network: raw features in, score and contributions out.

    Raises NettrusionError when network and scoring do not fit together.
    """
    sheet = Sheet()
    rows = scoring.preprocessing.write(sheet, "features")
    if scoring.kind != "classifier":
        way = {"autoencoder": _autoencoder, "ensemble": _ensemble}[scoring.kind]
        outputs, words, kind = way(sheet, rows, network, scoring)
    else:
        way = {"forest": _forest, "linear": _linear, "keras": _keras}[family(network)]
        outputs, words, kind = way(sheet, rows, network, scoring)
    k, c = scoring.preprocessing.width, len(scoring.classes)
    model = sheet.finish(
        {"features": k},
        {
            "score": (outputs.score, None),
            "classes": (outputs.classes, c),
            "contributions": (outputs.contributions, k),
        },
    )
    return Written(model, words, kind)


def assemble(network: Any, scoring: Scoring) -> onnx.ModelProto:
    """Return the model of `write`, without metadata: enough to score with."""
    return write(network, scoring).model


def run(model: onnx.ModelProto | bytes, rows: NDArray[np.float32], batch: int = BATCH) -> Outputs:
    """Return what the sensor's own session makes of raw rows, float32 (n, k)."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return Outputs(*Session(data).run(rows, batch))


def _fit(scoring: Scoring, features: int, outputs: int, wanted: int) -> None:
    if features != scoring.preprocessing.width or outputs != wanted:
        raise NettrusionError(
            f"a network of {features} features and {outputs} outputs does not fit"
            f" {scoring.preprocessing.width} features and {wanted} outputs"
        )


def _one_output(network: Any) -> None:
    if len(network.outputs) != 1:
        raise NettrusionError(f"a network with {len(network.outputs)} outputs is an ensemble, nothing else")


def _keras(sheet: Sheet, rows: str, network: Any, scoring: Scoring) -> tuple[heads.Outputs, str, str]:
    from exporter.keras_network import KerasNetwork

    _one_output(network)
    net = KerasNetwork(network, logits=True)
    _fit(scoring, net.features, net.width, len(scoring.classes))
    logits = net.forward(sheet, rows)
    outputs = heads.classifier(sheet, logits, scoring, lambda margin: _pulled(sheet, net, margin, rows, scoring))
    return outputs, net.description, "gradient"


def _pulled(sheet: Sheet, net: Any, margin: heads.Margin, rows: str, scoring: Scoring) -> str:
    """Write the contributions to a Keras network's margin: its gradient times the way from the medians."""
    return heads.displaced(sheet, net.backward(sheet, margin.gradient(sheet)), rows, scoring)


def _autoencoder(sheet: Sheet, rows: str, network: Any, scoring: Scoring) -> tuple[heads.Outputs, str, str]:
    from exporter.keras_network import KerasNetwork

    if family(network) != "keras" or scoring.loss_scale is None:
        raise NettrusionError("an autoencoder is a Keras network with a loss_scale")
    _one_output(network)
    net = KerasNetwork(network, logits=False)
    k = scoring.preprocessing.width
    _fit(scoring, net.features, net.width, k)
    rebuilt = heads.rebuilt(sheet, rows, net.forward(sheet, rows), k, scoring.loss_scale)
    return heads.autoencoder(sheet, rebuilt), net.description, "reconstruction"


def _ensemble(sheet: Sheet, rows: str, network: Any, scoring: Scoring) -> tuple[heads.Outputs, str, str]:
    """Write a Keras network of two outputs, a classifier's logits and the rows rebuilt."""
    from exporter.keras_network import KerasNetwork

    if family(network) != "keras" or len(network.outputs) != 2 or scoring.loss_scale is None:
        raise NettrusionError("an ensemble is a Keras network with two outputs, logits and rebuilt rows")
    net, mirror = KerasNetwork(network, logits=True), KerasNetwork(network, logits=False, output=1)
    k = scoring.preprocessing.width
    _fit(scoring, net.features, net.width, len(scoring.classes) - 1)
    _fit(scoring, mirror.features, mirror.width, k)
    rebuilt = heads.rebuilt(sheet, rows, mirror.forward(sheet, rows), k, scoring.loss_scale)
    outputs = heads.ensemble(
        sheet, net.forward(sheet, rows), rebuilt, scoring, lambda margin: _pulled(sheet, net, margin, rows, scoring)
    )
    return outputs, net.description, "mixed"


def _linear(sheet: Sheet, rows: str, network: Any, scoring: Scoring) -> tuple[heads.Outputs, str, str]:
    """Write a logistic regression; with two classes its one logit is class 1's, class 0's is 0."""
    weights = np.asarray(network.coef_, np.float32)
    bias = np.ravel(network.intercept_).astype(np.float32)
    if len(weights) == 1:
        weights = np.concatenate([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    _fit(scoring, weights.shape[1], len(weights), len(scoring.classes))
    products = sheet.add("MatMul", rows, sheet.constant(np.ascontiguousarray(weights.T)))
    logits = sheet.add("Add", products, sheet.constant(bias))

    def contributions(margin: heads.Margin) -> str:
        gradient = sheet.add("MatMul", margin.gradient(sheet), sheet.constant(weights))
        return heads.displaced(sheet, gradient, rows, scoring)

    words = "scikit-learn: logistic regression"
    return heads.classifier(sheet, logits, scoring, contributions), words, "linear"


def _forest(sheet: Sheet, rows: str, network: Any, scoring: Scoring) -> tuple[heads.Outputs, str, str]:
    if scoring.preprocessing.logarithm:
        raise NettrusionError(
            "a forest needs Preprocessing.plain: its thresholds lie on values of the training rows,"
            " where a logarithm's last bit decides, and that differs between programs"
        )
    forest = Forest(network)
    _fit(scoring, forest.features, forest.classes, len(scoring.classes))
    logits, parts = forest.write(sheet, rows)
    outputs = heads.classifier(
        sheet, logits, scoring, lambda margin: heads.chosen_parts(sheet, margin, parts, forest.features)
    )
    return outputs, forest.description, "paths"
