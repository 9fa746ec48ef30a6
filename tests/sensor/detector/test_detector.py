"""Loading, scoring and explaining through the public face; and files made to do harm."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from sensor.detector import BATCH, Detector
from sensor.errors import NettrusionError
from tests.sensor.detector.made import (
    CLASSES,
    PATH,
    SETS,
    TINY,
    edited,
    empty_graph,
    good,
    linear,
    sample,
    spliced,
    with_metadata,
)
from tests.sensor.test_calibration import MADE


@pytest.fixture(scope="module")
def detector():
    return Detector.from_bytes(good(), PATH, SETS)


def save(tmp_path, data):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    return path


def test_a_loaded_bundle_knows_the_hash_of_its_very_bytes(tmp_path):
    path = save(tmp_path, good())
    loaded = Detector.load(path, SETS)
    assert loaded.meta.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.meta.path == path
    assert loaded.feature_set is TINY


def test_scores_are_what_the_network_itself_says(detector):
    rows, _ = sample(2 * BATCH + 3, seed=9)
    network, scoring = linear()
    expected = network.predict_proba(scoring.preprocessing.apply(rows))
    scores = detector.score(rows)
    assert np.allclose(scores.probability, expected, atol=1e-5)
    assert np.allclose(scores.score, 1 - expected[:, 0], atol=1e-5)
    assert np.array_equal(scores.class_index, expected[:, 1:].argmax(axis=1) + 1)
    assert (scores.score.dtype, scores.class_index.dtype) == (np.float32, np.int64)
    assert detector.contributions(rows).shape == rows.shape


def test_contributions_of_a_linear_model_add_up_to_the_margin(detector):
    rows, _ = sample(50, seed=3)
    network, scoring = linear()
    seen = scoring.preprocessing.apply(np.vstack([rows, scoring.medians]))
    logits = network.decision_function(seen)
    scores = detector.score(rows)
    at = np.arange(50)
    margin = logits[at, scores.class_index] - logits[at, 0]
    resting = logits[-1, scores.class_index] - logits[-1, 0]
    assert np.allclose(detector.contributions(rows).sum(axis=1), margin - resting, atol=1e-4)


@given(st.lists(st.floats(width=32), min_size=6, max_size=6))
def test_any_numbers_give_a_score(row):
    detector = Detector.from_bytes(good(), PATH, SETS)
    scores = detector.score(np.array([row], np.float32))
    assert 0 <= scores.score[0] <= 1
    assert np.isfinite(detector.contributions(np.array([row], np.float32))).all()


def test_no_flows_give_no_scores(detector):
    scores = detector.score(np.zeros((0, 6), np.float32))
    assert scores.score.shape == (0,)
    assert scores.probability.shape == (0, 3)


def test_features_of_another_width_are_a_programming_error(detector):
    with pytest.raises(ValueError, match="a model of 6"):
        detector.score(np.zeros((2, 5), np.float32))


def test_reasons_are_the_features_that_raised_the_score(detector):
    features = np.array([10, 20, 30, 40, 50, 60], np.float32)
    contributions = np.array([1, -5, 3, 0, 0.5, 0.5], np.float32)
    reasons = detector.explain(features, contributions)
    assert [reason.name for reason in reasons] == ["feature_2", "feature_0", "feature_4"]
    assert [reason.share for reason in reasons] == pytest.approx([0.6, 0.2, 0.1])
    assert reasons[0].value == 30
    assert reasons[0].median == detector.meta.medians[2]
    assert len(detector.explain(features, contributions, top=9)) == 4
    assert detector.explain(features, -np.abs(contributions)) == []


def test_a_rank_is_never_less_than_calibration_can_know(detector):
    table = detector.meta.calibration
    top, bottom = table[0], table[-1]
    scores = np.array([1, top[0], bottom[0], 0], np.float32)
    ranks = detector.budget_rank(scores)
    known = int(np.ceil(top[1] * 1e6))
    assert ranks.tolist() == [known, known, 1_000_000, 1_000_000]
    assert ranks.dtype == np.int64


def test_ranks_are_those_of_the_operator_s_own_traffic_where_they_are_known(detector):
    own = replace(detector, calibration=MADE)
    assert own.budget_rank(np.array([0.995, 0.99, 0.95, 0.1], np.float32)).tolist() == [1000, 1000, 10_000, 1_000_000]
    assert own.meta == detector.meta


def test_ranks_fall_as_scores_rise(detector):
    ranks = detector.budget_rank(np.linspace(0, 1, 500, dtype=np.float32))
    assert (np.diff(ranks) <= 0).all()
    assert len(np.unique(ranks)) > 10
    assert detector.budget_rank(np.zeros(0, np.float32)).shape == (0,)


def test_a_model_that_makes_no_number_is_not_silent():
    def overflow(model):
        scale = next(t for t in model.graph.initializer if list(t.dims) == [6, 3])
        scale.raw_data = np.full((6, 3), 3e38, np.float32).tobytes()

    detector = Detector.from_bytes(edited(overflow), PATH, SETS)
    rows, _ = sample()
    with pytest.raises(NettrusionError, match="not a number; export it again"):
        detector.score(rows)


def other_hash():
    return with_metadata(feature_set_sha256="cd" * 32)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (other_hash, "tiny 3 with the hash cdcdcdcdcdcd, this sensor has 3 with abababababab"),
        (lambda: with_metadata(feature_set="flow1"), "feature set flow1; this sensor has tiny"),
        (lambda: with_metadata(variant="v0"), "variant v0"),
        (lambda: with_metadata(medians="[1,2]"), "features"),
        (lambda: with_metadata(classes='["benign","x"]'), "3 classes and 2 names"),
        (lambda: with_metadata(threshold=None), "lack nettrusion.threshold"),
        (lambda: b"", "format version is None"),
        (lambda: b"\x7fELF" + bytes(100), "no bundle has|another type"),
        (lambda: good()[:-40], "cut short"),
    ],
)
def test_a_file_that_is_not_for_this_sensor_is_refused_in_a_sentence(tmp_path, data, reason):
    path = save(tmp_path, data())
    with pytest.raises(NettrusionError, match=reason) as caught:
        Detector.load(path, SETS)
    assert str(path) in str(caught.value)
    assert "nettrusion export" in str(caught.value)


def endless(model):
    body = empty_graph()
    loop = helper.make_node("Loop", ["c0", "c0"], ["x"], body=body)
    model.graph.node.insert(0, loop)


def nested_ifs(model):
    graph = empty_graph()
    for depth in range(30):
        node = helper.make_node("If", ["c0"], ["out"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], f"g{depth}", [], list(graph.output)) if depth < 12 else graph
    model.graph.node.append(helper.make_node("If", ["c0"], ["x"], then_branch=graph, else_branch=graph))


@pytest.mark.parametrize("change", [endless, nested_ifs])
def test_a_file_that_would_hang_onnx_runtime_never_reaches_it(tmp_path, change):
    with pytest.raises(NettrusionError, match="an attribute has the field number 6"):
        Detector.load(save(tmp_path, edited(change)), SETS)


def test_a_constant_of_160_gigabytes_never_reaches_onnx_runtime(tmp_path):
    data = spliced(helper.make_node("ConstantOfShape", ["size"], ["x"]), size=np.array([40_000_000_000]))
    with pytest.raises(NettrusionError, match="ConstantOfShape is not allowed"):
        Detector.load(save(tmp_path, data), SETS)


def test_a_missing_file_and_a_link_are_named(tmp_path):
    with pytest.raises(NettrusionError, match=r"cannot read the model .*gone\.onnx: No such file"):
        Detector.load(tmp_path / "gone.onnx", SETS)
    save(tmp_path, good())
    (tmp_path / "link.onnx").symlink_to("model.onnx")
    with pytest.raises(NettrusionError, match="symbolic link; name the file itself"):
        Detector.load(tmp_path / "link.onnx", SETS)


def test_where_signatures_are_wanted_an_unsigned_model_is_refused_unread(tmp_path):
    path = save(tmp_path, b"not even a model")
    (tmp_path / "signers").write_text("nettrusion ssh-ed25519 AAAA\n")
    with pytest.raises(NettrusionError, match=r"its signature .*model\.onnx\.sig is not there"):
        Detector.load(path, SETS, allowed_signers=tmp_path / "signers")


def test_a_sensor_with_a_changed_feature_set_refuses_the_bundle(tmp_path):
    changed = {"tiny": replace(TINY, sha256="ef" * 32)}
    with pytest.raises(NettrusionError, match="efefefefefef"):
        Detector.load(save(tmp_path, good()), changed)


def refused_or_sound(data):
    """Load bytes: either they are refused with a reason, or what is loaded scores within its bounds."""
    try:
        detector = Detector.from_bytes(data, PATH, SETS)
    except ValueError as error:
        assert str(error)
        return
    rows, _ = sample(20)
    try:
        assert detector.score(rows).probability.shape == (20, len(CLASSES))
    except NettrusionError as error:
        assert "made.onnx" in str(error)


@given(st.binary(max_size=2_000))
@settings(deadline=5_000)
def test_random_bytes_are_refused(data):
    with pytest.raises(ValueError, match=r"\w"):
        Detector.from_bytes(data, PATH, SETS)


@pytest.mark.parametrize("kind", ["linear", "forest"])
@given(cut=st.floats(0, 1))
@settings(deadline=5_000)
def test_a_file_cut_anywhere_is_refused_or_sound(kind, cut):
    data = good(kind)
    refused_or_sound(data[: int(len(data) * cut)])


@pytest.mark.parametrize("kind", ["linear", "forest"])
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4))
@settings(deadline=5_000)
def test_a_file_with_a_few_other_bytes_is_refused_or_sound(kind, changes):
    data = bytearray(good(kind))
    for place, value in changes:
        data[int(place * len(data))] = value
    refused_or_sound(bytes(data))
