"""A forest's parts add up to its logit, exactly as trees walked one by one say."""

import numpy as np
import pytest

from exporter import graph, reference
from exporter.forest import Forest, path_parts
from tests.sensor.detector.made import forest, sample

ROWS, _ = sample(300, seed=8)
NODE = np.dtype(
    [("value", "f8"), ("count", "u4"), ("feature_idx", "i8"), ("left", "u4"), ("right", "u4"), ("is_leaf", "u1")]
)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(classes):
    network, scoring = forest(classes)
    found = graph.run(graph.assemble(network, scoring), ROWS)
    assert np.abs(found.classes - network.predict_proba(ROWS)).max() < 1e-6


@pytest.mark.parametrize("classes", [2, 3])
def test_parts_are_those_of_the_trees_walked_one_by_one(classes):
    network, scoring = forest(classes)
    found = graph.run(graph.assemble(network, scoring), ROWS).contributions
    assert np.abs(found - reference.contributions(network, scoring, ROWS)).max() < 1e-5


@pytest.mark.parametrize("classes", [2, 3])
def test_parts_and_a_constant_add_up_to_the_margin(classes):
    network, scoring = forest(classes)
    found = graph.run(graph.assemble(network, scoring), ROWS).contributions
    raw = network.decision_function(ROWS)
    logits = np.stack([np.zeros(len(ROWS)), raw], axis=1) if raw.ndim == 1 else raw
    best = logits[:, 1:].argmax(axis=1) + 1
    rest = logits[np.arange(len(ROWS)), best] - logits[:, 0] - found.sum(axis=1)
    for at in np.unique(best):
        assert np.ptp(rest[best == at]) < 1e-4


def test_a_split_adds_the_childs_expectation_minus_its_own():
    #         0 (feature 3)
    #     1: leaf 4.0 x1    2 (feature 3)
    #                    3: leaf 0.0 x1   4: leaf -2.0 x2
    nodes = np.zeros(5, NODE)
    nodes["is_leaf"] = [0, 1, 0, 1, 1]
    nodes["value"] = [9, 4, 9, 0, -2]
    nodes["count"] = [4, 1, 3, 1, 2]
    nodes["feature_idx"] = 3
    nodes["left"], nodes["right"] = [1, 0, 3, 0, 0], [2, 0, 4, 0, 0]
    parts = path_parts(nodes)
    assert parts[0] == {}
    assert parts[1] == {3: pytest.approx(4.0)}  # the root expects (4 + 0 - 2 - 2) / 4 = 0
    assert parts[2] == {3: pytest.approx(-4 / 3)}
    assert parts[4] == {3: pytest.approx(-2.0)}


def test_a_forest_says_what_it_is():
    made = Forest(forest()[0])
    assert (made.classes, made.features) == (3, 6)
    assert made.description == "scikit-learn: histogram gradient boosting, 6 rounds, at most 7 leaves"
    assert [at for at, _ in made.trees()][:4] == [0, 1, 2, 0]
    assert {at for at, _ in Forest(forest(2)[0]).trees()} == {1}
