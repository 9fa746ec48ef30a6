"""Small bundles for tests, good ones and bad ones made from them; no TensorFlow needed."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from exporter import bundle, calibration, graph
from exporter.identity import Identity
from exporter.preprocessing import Preprocessing
from exporter.scoring import Scoring
from sensor.features import Feature, FeatureSet

K = 6
CLASSES = ("benign", "dos", "scan")
FEATURES = tuple(Feature(at, f"feature_{at}", "bytes", "made up", 0.0, {}) for at in range(K))
TINY = FeatureSet("tiny", "3", "ab" * 32, FEATURES)
SETS = {"tiny": TINY}
PATH = Path("made.onnx")


def sample(n: int = 400, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return raw rows (n, K) and labels (n,) that can be told apart, but not perfectly."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), n)
    centres = np.array([[1, 2, 3, 1, 0, 0], [6, 2, 0, 1, 0, 2], [0, 5, 3, 4, 0, 1]])
    rows = np.exp(centres[labels] + rng.normal(size=(n, K)))
    rows[:, 4] = 7
    return rows.astype(np.float32), labels


def identity(scores: NDArray[np.float32], name: str = "made") -> Identity:
    """Return the metadata of a bundle whose benign flows have these scores."""
    threshold, budget = calibration.threshold(scores, 0.05)
    return Identity(
        name=name,
        version="1.2",
        feature_set=TINY,
        variant="cns22",
        threshold=threshold,
        budget=budget,
        calibration=calibration.table(scores),
        training={"seed": 1, "files": {"a.csv": "00" * 32}, "figures": {"recall": 0.9}},
        card="made for a test",
    )


@cache
def linear() -> tuple[LogisticRegression, Scoring]:
    """Return a fitted logistic regression over three classes."""
    rows, labels = sample()
    preprocessing = Preprocessing.fit(rows)
    medians = np.median(rows[labels == 0], axis=0)
    model = LogisticRegression(max_iter=200).fit(preprocessing.apply(rows), labels)
    return model, Scoring("classifier", CLASSES, preprocessing, medians)


@cache
def forest(classes: int = 3) -> tuple[HistGradientBoostingClassifier, Scoring]:
    """Return a fitted small forest over two or three classes."""
    rows, labels = sample()
    labels = np.minimum(labels, classes - 1)
    preprocessing = Preprocessing.plain(rows)
    medians = np.median(rows[labels == 0], axis=0)
    model = HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=7, random_state=0)
    model.fit(preprocessing.apply(rows), labels)
    return model, Scoring("classifier", CLASSES[:classes], preprocessing, medians)


@cache
def good(kind: str = "linear") -> bytes:
    """Return the bytes of a bundle that a sensor takes."""
    network, scoring = linear() if kind == "linear" else forest()
    rows, labels = sample()
    scores = graph.run(graph.assemble(network, scoring), rows).score
    return bundle.build(network, scoring, identity(scores[labels == 0]))


def edited(change: Callable[[onnx.ModelProto], object], kind: str = "linear") -> bytes:
    """Return a good bundle's bytes after a change to it."""
    model = onnx.load_model_from_string(good(kind))
    change(model)
    return bytes(model.SerializeToString())


def spliced(*nodes: onnx.NodeProto, **constants: Any) -> bytes:
    """Return a good bundle with nodes put in front that read `features` and whose outputs nobody needs."""

    def change(model: onnx.ModelProto) -> None:
        kept = list(model.graph.node)
        del model.graph.node[:]
        model.graph.node.extend([*nodes, *kept])
        for name, values in constants.items():
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))

    return edited(change)


def replaced(position: int, operator: str, **attributes: Any) -> bytes:
    """Return a good bundle whose node at a position is another operator."""

    def change(model: onnx.ModelProto) -> None:
        old = model.graph.node[position]
        new = helper.make_node(operator, list(old.input), list(old.output), **attributes)
        old.CopyFrom(new)

    return edited(change)


def with_metadata(**values: str | None) -> bytes:
    """Return a good bundle with metadata entries set to other values, or removed when None."""

    def change(model: onnx.ModelProto) -> None:
        kept = {entry.key: entry.value for entry in model.metadata_props}
        kept |= {f"nettrusion.{key}": value for key, value in values.items()}
        del model.metadata_props[:]
        for key, value in kept.items():
            if value is not None:
                model.metadata_props.add(key=key, value=value)

    return edited(change)


def empty_graph(name: str = "inner") -> onnx.GraphProto:
    """Return a nested graph, of the kind that If and Loop have."""
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])
    return helper.make_graph([helper.make_node("Identity", ["c0"], ["out"])], name, [], [output])
