"""A scikit-learn gradient-boosted forest as one tree ensemble that scores and explains at once.

skl2onnx gives the trees. Their leaves then get more targets than the class's raw value: for each
feature on the way to the leaf, what the splits on it added. A split adds the expected value of the
child taken minus that of the node itself, expected over the training rows (the path attribution of
Saabas, https://blog.datadive.net/interpreting-random-forests/). A class's raw value is the sum of its
features' parts and a constant, exactly; it costs one walk through each tree, as scoring alone does.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exporter.sheet import ONNX_ML, Sheet
from sensor.errors import NettrusionError

Parts = list[dict[int, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A fitted HistGradientBoostingClassifier with integer labels 0..C-1, no categorical features."""

    model: Any

    @property
    def classes(self) -> int:
        """Return the number of classes, C."""
        return len(self.model.classes_)

    @property
    def features(self) -> int:
        """Return the number of features, k."""
        return int(self.model.n_features_in_)

    @property
    def description(self) -> str:
        """Return what it is in a few words."""
        rounds, leaves = self.model.n_iter_, self.model.max_leaf_nodes
        return f"scikit-learn: histogram gradient boosting, {rounds} rounds, at most {leaves} leaves"

    def write(self, sheet: Sheet, rows: str) -> tuple[str, str]:
        """Write the forest; return its logits (N, C) and every class's parts (N, C, k + 1).

        The last part is the raw value itself. With two classes there is one tree a round: its raw
        value is class 1's logit, class 0's is 0.
        """
        k, c = self.features, self.classes
        ensemble = sheet.add(
            "TreeEnsembleRegressor",
            rows,
            domain=ONNX_ML,
            n_targets=c * (k + 1),
            **self._nodes(),
            **self._targets(),
        )
        parts = sheet.add("Reshape", ensemble, sheet.constant(np.array([-1, c, k + 1])))
        raw = sheet.add("Gather", parts, sheet.constant(np.array(k)), axis=2)
        baseline = np.ravel(self.model._baseline_prediction)
        start = np.zeros(c, np.float32)
        start[c - len(baseline) :] = baseline
        return sheet.add("Add", raw, sheet.constant(start)), parts

    def trees(self) -> list[tuple[int, NDArray[Any]]]:
        """Return (class, nodes) of every tree, in skl2onnx's order: round by round."""
        shift = 1 if self.classes == 2 else 0
        return [(at + shift, tree.nodes) for stage in self.model._predictors for at, tree in enumerate(stage)]

    def _nodes(self) -> dict[str, Any]:
        """Return the trees' shape as skl2onnx converts it, with thresholds rounded for float32."""
        from skl2onnx import to_onnx

        rows = np.zeros((1, self.features), np.float32)
        with warnings.catch_warnings():
            # It hands booleans to protobuf, which wants whole numbers.
            warnings.simplefilter("ignore", DeprecationWarning)
            proto = to_onnx(self.model, rows, options={"zipmap": False})
        node = next(n for n in proto.graph.node if n.op_type.startswith("TreeEnsemble"))
        lists = {item.name: item for item in node.attribute}
        if sum(len(nodes) for _, nodes in self.trees()) != len(lists["nodes_nodeids"].ints):
            raise NettrusionError("the converted forest has other nodes than the trained one")
        ints = ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
        shape: dict[str, Any] = {f"nodes_{name}": list(lists[f"nodes_{name}"].ints) for name in ints}
        shape["nodes_values"] = list(lists["nodes_values"].floats)
        shape["nodes_modes"] = [mode.decode() for mode in lists["nodes_modes"].strings]
        return shape

    def _targets(self) -> dict[str, Any]:
        """Return the leaves' targets: the raw value and the parts of the features on the way."""
        k = self.features
        rows: list[tuple[int, int, int, float]] = []
        for tree, (at, nodes) in enumerate(self.trees()):
            parts = path_parts(nodes)
            for leaf in np.flatnonzero(nodes["is_leaf"]).tolist():
                added = {at * (k + 1) + feature: part for feature, part in parts[leaf].items()}
                added[at * (k + 1) + k] = float(nodes["value"][leaf])
                rows += [(tree, leaf, target, added[target]) for target in sorted(added)]
        trees, leaves, targets, weights = zip(*rows, strict=True)
        return {
            "target_treeids": list(trees),
            "target_nodeids": list(leaves),
            "target_ids": list(targets),
            "target_weights": list(weights),
        }


def path_parts(nodes: NDArray[Any]) -> Parts:
    """Return for every node of a tree what each feature added on the way to it, feature -> part."""
    expected = nodes["value"].astype(np.float64)
    count = nodes["count"].astype(np.float64)
    # Children stand behind their parent, so backwards every child is known before it is needed.
    for at in np.flatnonzero(nodes["is_leaf"] == 0)[::-1]:
        left, right = nodes["left"][at], nodes["right"][at]
        total = expected[left] * count[left] + expected[right] * count[right]
        expected[at] = total / (count[left] + count[right])
    parts: Parts = [{} for _ in nodes]
    for at in np.flatnonzero(nodes["is_leaf"] == 0):
        feature = int(nodes["feature_idx"][at])
        for child in (nodes["left"][at], nodes["right"][at]):
            parts[child] = dict(parts[at])
            step = float(expected[child] - expected[at])
            parts[child][feature] = parts[child].get(feature, 0.0) + step
    return parts
