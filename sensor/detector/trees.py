"""What a tree ensemble in a bundle must be: shallow, without a way back, and within its own bounds.

ONNX Runtime checks much of this, but walks the trees by recursion when it loads them: one chain of
100,000 nodes overflows its stack and ends the process.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_DEPTH: Final = 64
MAX_TARGETS: Final = 16_384

Ints = NDArray[np.int64]


def check_trees(attributes: Mapping[str, Any], features: int) -> int:
    """Check a TreeEnsembleRegressor's attributes and return the work of one flow, in steps.

    The work is the number of trees times the deepest one, and every leaf's largest number of targets.

    `features` is how many columns its rows have. Raises ValueError with a reason.
    """
    node = {
        name: _ints(attributes, f"nodes_{name}")
        for name in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    }
    target = {name: _ints(attributes, f"target_{name}") for name in ("treeids", "nodeids", "ids")}
    count, leaves = len(node["treeids"]), len(target["ids"])
    modes = attributes.get("nodes_modes")
    if not isinstance(modes, list) or {*modes} - {"BRANCH_LEQ", "LEAF"} or not count:
        raise ValueError("its nodes are no leaves and no comparisons by <=")
    values, weights = attributes.get("nodes_values"), attributes.get("target_weights")
    _floats(values, count)
    _floats(weights, leaves)
    _floats(attributes.get("base_values", np.zeros(0, np.float32)), None)
    if len(modes) != count or any(len(array) != count for array in node.values()):
        raise ValueError("its lists of nodes differ in length")
    targets = attributes.get("n_targets")
    if any(len(array) != leaves for array in target.values()) or not isinstance(targets, int):
        raise ValueError("its lists of leaves differ in length")
    if not 0 < targets <= MAX_TARGETS:
        raise ValueError(f"it has {targets} targets, not 1 to {MAX_TARGETS}")
    if not _within(target["ids"], targets) or not _within(node["featureids"], features):
        raise ValueError("it names a feature or a target that is not there")
    if attributes.get("aggregate_function", "SUM") != "SUM":
        raise ValueError("it does not add up its trees")
    if attributes.get("post_transform", "NONE") != "NONE":
        raise ValueError("it transforms the sum of its trees")
    depth = _depth(node, np.array([mode == "LEAF" for mode in modes]))
    trees = int(node["treeids"][-1]) + 1
    if not _within(target["treeids"], trees) or not _within(target["nodeids"], count):
        raise ValueError("it names a tree or a node that is not there")
    _, targets_of_leaf = np.unique(target["treeids"] * count + target["nodeids"], return_counts=True)
    return trees * (depth + int(targets_of_leaf.max(initial=0)))


def _depth(node: Mapping[str, Ints], leaf: NDArray[np.bool_]) -> int:
    """Return the depth of the deepest tree, having checked that every tree is one.

    The nodes of a tree stand together and are numbered from 0 in their order; the children of a node
    stand behind it; each node but the first is the child of exactly one. So there is no way back.
    """
    count = len(leaf)
    position = np.arange(count)
    starts = np.append(0, np.flatnonzero(np.diff(node["treeids"])) + 1)
    tree = np.searchsorted(starts, position, side="right") - 1
    if not np.array_equal(node["treeids"], tree):
        raise ValueError("its trees are not numbered in their order")
    if not np.array_equal(node["nodeids"], position - starts[tree]):
        raise ValueError("its nodes are not numbered in their order")
    size = np.diff(np.append(starts, count))
    branch = np.flatnonzero(~leaf)
    children = np.concatenate([node["truenodeids"][branch], node["falsenodeids"][branch]])
    parent = np.concatenate([branch, branch])
    if not ((children > node["nodeids"][parent]) & (children < size[tree[parent]])).all():
        raise ValueError("a node's child does not stand behind it")
    child = children + starts[tree[parent]]
    if not np.array_equal(np.sort(np.concatenate([child, starts])), position):
        raise ValueError("a node has no parent or more than one")
    up = np.arange(count)
    up[child] = parent
    at = position
    for depth in range(MAX_DEPTH + 1):
        if np.isin(at, starts).all():
            return depth
        at = up[at]
    raise ValueError(f"a tree is deeper than {MAX_DEPTH}")


def _ints(attributes: Mapping[str, Any], name: str) -> Ints:
    array = attributes.get(name)
    if not isinstance(array, np.ndarray) or array.dtype != np.int64:
        raise ValueError(f"it has no list {name}")
    return array


def _floats(array: Any, count: int | None) -> None:
    right = isinstance(array, np.ndarray) and array.dtype == np.float32
    if not right or (count is not None and len(array) != count) or not np.isfinite(array).all():
        raise ValueError("a list of its numbers is missing, too short or not finite")


def _within(array: Ints, size: int) -> bool:
    return bool(((array >= 0) & (array < size)).all())
