"""Tree ensembles: what ONNX Runtime would die of, or not notice, is refused."""

import numpy as np
import pytest

from sensor.detector.graph import parse
from sensor.detector.trees import MAX_DEPTH, check_trees
from tests.sensor.detector.made import K, good


def ensemble(**changes):
    """Return two trees: one split into two leaves, and a lone leaf."""
    attributes = {
        "n_targets": 2,
        "nodes_treeids": np.array([0, 0, 0, 1]),
        "nodes_nodeids": np.array([0, 1, 2, 0]),
        "nodes_featureids": np.array([1, 0, 0, 0]),
        "nodes_truenodeids": np.array([1, 0, 0, 0]),
        "nodes_falsenodeids": np.array([2, 0, 0, 0]),
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
        "nodes_values": np.zeros(4, np.float32),
        "target_treeids": np.array([0, 0, 0, 1]),
        "target_nodeids": np.array([1, 1, 2, 0]),
        "target_ids": np.array([0, 1, 0, 0]),
        "target_weights": np.ones(4, np.float32),
    }
    return attributes | changes


def chain(depth):
    """Return one tree that goes on to the right for `depth` levels."""
    count = 2 * depth + 1
    inner = np.arange(count) % 2 == 0
    inner[-1] = False
    at = np.arange(count)
    return ensemble(
        nodes_treeids=np.zeros(count, np.int64),
        nodes_nodeids=at,
        nodes_featureids=np.zeros(count, np.int64),
        nodes_truenodeids=np.where(inner, at + 1, 0),
        nodes_falsenodeids=np.where(inner, at + 2, 0),
        nodes_modes=["BRANCH_LEQ" if branch else "LEAF" for branch in inner],
        nodes_values=np.zeros(count, np.float32),
        target_treeids=np.zeros(4, np.int64),
    )


def test_the_work_of_a_flow_is_every_trees_depth_and_the_largest_leaf():
    assert check_trees(ensemble(), features=3) == 2 * (1 + 2)


def test_a_real_forest_is_taken():
    node = next(n for n in parse(good("forest")).nodes if n.operator == "TreeEnsembleRegressor")
    assert check_trees(node.attributes, K) > 18


@pytest.mark.parametrize("depth", [1, 2, MAX_DEPTH])
def test_a_chain_is_taken_up_to_the_limit(depth):
    assert check_trees(chain(depth), 1) == depth + 2


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_a_deep_chain_would_overflow_the_stack_and_is_refused(depth):
    with pytest.raises(ValueError, match="deeper than 64"):
        check_trees(chain(depth), 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nodes_truenodeids": np.array([0, 0, 0, 0])}, "does not stand behind it"),
        ({"nodes_truenodeids": np.array([3, 0, 0, 0])}, "does not stand behind it"),
        ({"nodes_truenodeids": np.array([2, 0, 0, 0])}, "no parent or more than one"),
        ({"nodes_nodeids": np.array([0, 2, 1, 0])}, "nodes are not numbered"),
        ({"nodes_treeids": np.array([0, 0, 0, 2])}, "trees are not numbered"),
        ({"nodes_treeids": np.array([1, 1, 1, 0])}, "trees are not numbered"),
        ({"nodes_featureids": np.array([3, 0, 0, 0])}, "feature or a target that is not there"),
        ({"nodes_featureids": np.array([-1, 0, 0, 0])}, "feature or a target that is not there"),
        ({"target_ids": np.array([0, 2, 0, 0])}, "feature or a target that is not there"),
        ({"target_nodeids": np.array([0, 9, 0, 0])}, "tree or a node that is not there"),
        ({"target_treeids": np.array([0, 2, 0, 0])}, "tree or a node that is not there"),
        ({"n_targets": 10**9}, "1000000000 targets"),
        ({"n_targets": 0}, "0 targets"),
        ({"n_targets": 1.0}, "differ in length"),
        ({"nodes_values": np.array([np.inf, 0, 0, 0], np.float32)}, "not finite"),
        ({"nodes_values": np.zeros(3, np.float32)}, "too short"),
        ({"target_weights": None}, "missing"),
        ({"nodes_modes": ["BRANCH_GT", "LEAF", "LEAF", "LEAF"]}, "no comparisons"),
        ({"nodes_modes": ["LEAF"]}, "differ in length"),
        ({"nodes_modes": None}, "no comparisons"),
        ({"nodes_treeids": np.zeros(0, np.int64)}, "no leaves"),
        ({"nodes_featureids": [1, 0, 0, 0]}, "no list nodes_featureids"),
        ({"aggregate_function": "MAX"}, "add up"),
        ({"post_transform": "SOFTMAX"}, "transforms"),
        ({"base_values": np.array([np.nan], np.float32)}, "not finite"),
    ],
)
def test_an_ensemble_that_is_not_one_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        check_trees(ensemble(**changes), features=3)
