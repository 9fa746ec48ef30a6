"""Which networks can be exported, and what fits together."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from exporter import graph
from exporter.scoring import LossScale, Scoring
from sensor.detector.admission import MAX_BYTES, admit
from sensor.errors import NettrusionError
from tests.sensor.detector.made import CLASSES, forest, linear, sample

ROWS, LABELS = sample(200, seed=4)


def test_families_are_known_by_their_maker():
    assert graph.family(linear()[0]) == "linear"
    assert graph.family(forest()[0]) == "forest"
    with pytest.raises(NettrusionError, match="DecisionTreeClassifier cannot be exported"):
        graph.family(DecisionTreeClassifier())


@pytest.mark.parametrize("made", [linear, forest])
def test_running_gives_scores_of_the_likeliest_kind(made):
    network, scoring = made()
    outputs = graph.run(graph.assemble(network, scoring), ROWS)
    assert outputs.score[LABELS == 0].mean() < 0.5 < outputs.score[LABELS > 0].mean()
    assert np.allclose(outputs.classes.sum(axis=1), 1, atol=1e-5)
    assert outputs.contributions.shape == ROWS.shape


@pytest.mark.parametrize("made", [linear, forest])
def test_what_is_written_is_admitted_and_small(made):
    written = graph.write(*made())
    data = written.model.SerializeToString()
    assert admit(data).features == ROWS.shape[1]
    assert len(data) < MAX_BYTES / 100
    assert written.contributions == {linear: "linear", forest: "paths"}[made]


@pytest.mark.parametrize("made", [linear, forest])
def test_a_graph_does_not_depend_on_what_was_written_before(made):
    first = graph.assemble(*made()).SerializeToString(deterministic=True)
    graph.assemble(*forest(2))
    assert graph.assemble(*made()).SerializeToString(deterministic=True) == first


def test_another_number_of_classes_is_refused():
    network, scoring = linear()
    pair = Scoring("classifier", CLASSES[:2], scoring.preprocessing, scoring.medians)
    with pytest.raises(NettrusionError, match="6 features and 3 outputs does not fit 6 features and 2"):
        graph.assemble(network, pair)


def test_a_forest_on_logarithms_is_refused():
    scoring = Scoring("classifier", CLASSES, linear()[1].preprocessing, linear()[1].medians)
    with pytest.raises(NettrusionError, match=r"needs Preprocessing\.plain"):
        graph.assemble(forest()[0], scoring)


def test_a_linear_model_is_no_autoencoder():
    network, scoring = linear()
    other = Scoring(
        "autoencoder",
        ("benign", "anomaly"),
        scoring.preprocessing,
        scoring.medians,
        loss_scale=LossScale(1.0, 1.0),
    )
    with pytest.raises(NettrusionError, match="an autoencoder is a Keras network"):
        graph.assemble(network, other)
