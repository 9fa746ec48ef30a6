"""The examination passes good bundles and finds every kind of fault put into one."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from exporter import bundle, graph, reference, verify
from exporter.verify import VerifyError, check
from tests.exporter.networks import CLASSIFIER, LABELS, ROWS, autoencoder, dense, ensemble, every_layer, packets
from tests.sensor.detector.made import forest, good, identity, linear

COUNT = 600
FAMILIES = [autoencoder, ensemble, lambda: (every_layer(), CLASSIFIER), lambda: (packets(), CLASSIFIER)]


def built(network, scoring):
    scores = graph.run(graph.assemble(network, scoring), ROWS).score
    return bundle.build(network, scoring, identity(scores[LABELS == 0]))


def test_a_dense_network_passes_on_ten_thousand_rows():
    report = check(built(dense(), CLASSIFIER), dense(), CLASSIFIER, ROWS)
    assert report.rows == 10_000
    assert report.max_score_difference < 1e-6
    assert report.max_contribution_difference < 1e-5
    assert set(report.as_dict()) >= {"bytes", "nodes", "work"}
    assert report.occlusion_rank_correlation is not None and report.occlusion_rank_correlation > 0.7
    assert report.occlusion_top_share is not None and report.occlusion_top_share > 0.8
    assert report.occluded_alerts > 20


@pytest.mark.parametrize("made", [linear, forest, *FAMILIES])
def test_every_family_passes(made):
    network, scoring = made()
    assert check(built(network, scoring), network, scoring, ROWS, COUNT).rows == COUNT


def changed(change, data=None):
    model = onnx.load_model_from_string(data or good())
    change(model)
    return model.SerializeToString()


def scale_constant(shape, factor):
    """Return a change that multiplies the constant of a shape."""

    def change(model):
        tensor = next(t for t in model.graph.initializer if tuple(t.dims) == shape)
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(factor), tensor.name))

    return change


def no_nan_guard(model):
    where = next(node for node in model.graph.node if node.op_type == "Where")
    where.input[1] = "features"


def silent(model):
    scale_constant((1, 6), 1)(model)
    for node in model.graph.node:
        if node.output[0] == "contributions":
            zero = numpy_helper.from_array(np.zeros(1, np.float32), "zero")
            model.graph.initializer.append(zero)
            node.input[0] = "zero"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (scale_constant((6, 3), 1.01), "scores differ from the network's by"),
        (scale_constant((3, 6), 1.01), "contributions differ from the reference"),
        (no_nan_guard, "is not finite on every row"),
        (silent, "every contribution is zero"),
        (lambda model: model.graph.node.add(op_type="Loop"), "not one that a sensor takes"),
        (lambda model: model.ClearField("metadata_props"), "not one that a sensor takes"),
        (lambda model: model.graph.node.reverse(), "not one that a sensor takes"),
    ],
)
def test_a_fault_is_found(change, reason):
    network, scoring = linear()
    with pytest.raises(VerifyError, match=reason):
        check(changed(change), network, scoring, ROWS, COUNT)


def test_bytes_that_are_no_model_are_refused():
    network, scoring = linear()
    with pytest.raises(VerifyError, match="not one that a sensor takes"):
        check(good()[:-9], network, scoring, ROWS, COUNT)


def test_another_preprocessing_is_found_on_dirty_rows():
    network, scoring = linear()
    other = replace(scoring.preprocessing, fill=scoring.preprocessing.fill + np.float32(1))
    with pytest.raises(VerifyError, match="scores differ"):
        check(good(), network, replace(scoring, preprocessing=other), ROWS, COUNT)


def test_a_threshold_on_a_score_may_change_a_decision(monkeypatch):
    network, scoring = linear()
    scores = graph.run(good(), ROWS).score.astype(np.float64)
    on_it = replace(identity(scores[LABELS == 0].astype(np.float32)), threshold=float(scores[7]))
    data = bundle.build(network, scoring, on_it)

    def just_below(network, scoring, rows):
        found = graph.run(data, rows)
        return found.score - 1e-7, found.classes

    monkeypatch.setattr(reference, "scores", just_below)
    with pytest.raises(VerifyError, match="decisions change at the bundle's threshold"):
        check(data, network, scoring, ROWS, COUNT)


def test_a_score_that_depends_on_its_batch_is_found(monkeypatch):
    network, scoring = linear()
    real = graph.run

    def leaning(data, rows, batch=1024):
        outputs = real(data, rows, batch)
        return replace(outputs, score=outputs.score * np.float32(1 - 1e-7 * (batch == 256)))

    monkeypatch.setattr(verify, "run", leaning)
    with pytest.raises(VerifyError, match="rows scored by 256 have another score"):
        check(good(), network, scoring, ROWS, COUNT)


@pytest.mark.parametrize(("floor", "least"), [("TOP_FLOOR", 1.01), ("RANK_FLOOR", 1.01)])
def test_reasons_that_experiment_contradicts_are_refused(monkeypatch, floor, least):
    network, scoring = linear()
    monkeypatch.setattr(verify, floor, least)
    with pytest.raises(VerifyError, match="do not agree with occlusion"):
        check(good(), network, scoring, ROWS, COUNT)


def test_reasons_of_another_feature_are_refused(monkeypatch):
    """Where the reference itself were wrong, experiment would still find it."""
    network, scoring = linear()

    def turned(network, scoring, rows):
        return -reference_contributions(network, scoring, rows)

    reference_contributions = reference.contributions
    monkeypatch.setattr(reference, "contributions", turned)

    def negated(model):
        for node in model.graph.node:
            if node.output[0] == "contributions":
                node.output[0] = "kept"
        model.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.float32), "minus"))
        model.graph.node.add(op_type="Mul", input=["kept", "minus"], output=["contributions"])

    with pytest.raises(VerifyError, match="do not agree with occlusion"):
        check(changed(negated), network, scoring, ROWS, COUNT)


def two_at_work():
    """Return rows of which only the first two features differ from the bundle's medians."""
    _, scoring = linear()
    rows = np.tile(scoring.medians.astype(np.float32), (len(ROWS), 1))
    rows[:, :2] = ROWS[:, :2]
    return rows


def test_what_occlusion_cannot_judge_is_not_refused():
    network, scoring = linear()
    report = check(good(), network, scoring, two_at_work(), COUNT)
    assert report.occlusion_rank_correlation is None
    assert report.occlusion_top_share == 1.0


def test_without_ranks_the_costliest_feature_is_still_asked_for(monkeypatch):
    network, scoring = linear()
    monkeypatch.setattr(verify, "TOP_FLOOR", 1.01)
    with pytest.raises(VerifyError, match=r"occlusion in \d+ alerts: the costliest feature is a reason in 100%"):
        check(good(), network, scoring, two_at_work(), COUNT)
