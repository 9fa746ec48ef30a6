"""Score heads on numbers that can be followed by hand."""

import numpy as np
import onnxruntime
import pytest

from exporter import heads
from exporter.scoring import LossScale, Mixture, Scoring
from exporter.sheet import Sheet
from tests.sensor.detector.made import CLASSES, K, linear

PREPROCESSING, MEDIANS = linear()[1].preprocessing, linear()[1].medians


def run(sheet, outputs, width, rows):
    values = {"score": (outputs.score, None), "classes": (outputs.classes, 3), "parts": (outputs.contributions, 3)}
    model = sheet.finish({"features": width}, values).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.array(rows, np.float32)})


def classified(rows, temperature=1.0):
    """Treat the inputs as logits, and give back the margin's gradient by them."""
    sheet = Sheet()
    scoring = Scoring("classifier", CLASSES, PREPROCESSING, MEDIANS, temperature=temperature)
    outputs = heads.classifier(sheet, "features", scoring, lambda margin: margin.gradient(sheet))
    return run(sheet, outputs, 3, rows)


def test_a_score_is_the_sum_of_the_attacks():
    score, classes, _ = classified([[0, 0, 0], [5, 0, 0], [-90, 1, 0]])
    assert score == pytest.approx([2 / 3, 2 / (np.exp(5) + 2), 1.0])
    assert classes[0] == pytest.approx([1 / 3] * 3)


def test_small_scores_keep_their_digits():
    score, _, _ = classified([[30, 0, 0]])
    assert score[0] == pytest.approx(2 * np.exp(-30), rel=1e-4)


def test_the_margin_is_of_the_likeliest_attack_even_where_benign_wins():
    _, _, gradient = classified([[9, 1, 2], [0, 3, 1], [0, 1, 1]])
    assert gradient.tolist() == [[-1, 0, 1], [-1, 1, 0], [-1, 1, 0]]


def test_temperature_flattens_scores_and_contributions_alike():
    score, _, gradient = classified([[0, 2, 0]], temperature=2)
    assert score[0] == pytest.approx((np.e + 1) / (np.e + 2))
    assert gradient[0].tolist() == [-0.5, 0.5, 0]


def test_the_median_flow_has_no_displacement():
    sheet = Sheet()
    scoring = Scoring("classifier", CLASSES, PREPROCESSING, MEDIANS)
    moved = heads.displaced(sheet, sheet.constant(np.full(K, 2, np.float32)), "features", scoring)
    model = sheet.finish({"features": K}, {"y": (moved, K)}).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    median = PREPROCESSING.apply(MEDIANS[None])
    assert session.run(None, {"features": median})[0].tolist() == [[0] * K]
    assert session.run(None, {"features": median + 1})[0] == pytest.approx(np.full((1, K), 2), rel=1e-6)


def mixed(logits, errors, temperature=1.0):
    """Run an ensemble's head on logits of three classes and three squared errors, told apart by place."""
    sheet = Sheet()
    classes, mixture = (*CLASSES, "anomaly"), Mixture(0.5, 2.0, -1.0)
    scale = LossScale(middle=4.0, exponent=1.5)
    scoring = Scoring(
        "ensemble", classes, PREPROCESSING, MEDIANS, temperature=temperature, loss_scale=scale, mixture=mixture
    )
    first, last = (sheet.add("Gather", "features", sheet.constant(np.arange(at, at + 3)), axis=1) for at in (0, 3))
    rebuilt = heads.rebuilt(sheet, last, sheet.add("Mul", last, sheet.number(0)), 3, scale)
    outputs = heads.ensemble(sheet, first, rebuilt, scoring, lambda margin: margin.gradient(sheet))
    values = {"score": (outputs.score, None), "classes": (outputs.classes, 4), "parts": (outputs.contributions, 3)}
    model = sheet.finish({"features": 6}, values).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.array([[*logits, *errors]], np.float32)})


def test_an_ensemble_adds_log_odds_and_surprise():
    typical = 4.0 * (1 / 9) ** (1 / 1.5)
    surprise = 1.5 * np.log(12.0 / typical)
    margin = np.log(np.exp(3) + np.exp(1))
    score, classes, parts = mixed([0, 3, 1], [6, 0, 0])
    assert score[0] == pytest.approx(1 / (1 + np.exp(-(0.5 * margin + 2 * surprise - 1))))
    assert classes.sum() == pytest.approx(1)
    assert classes[0].argmax() == 3, "what is new names it"
    assert parts[0] == pytest.approx([-0.5 + 2 * surprise, 0.5, 0], abs=1e-4)


def test_what_is_rebuilt_better_than_most_lowers_nothing():
    margin = np.log(np.exp(3) + np.exp(1))
    for errors in ([0, 0, 0], [1e-6, 0, 0], [0.9, 0, 0]):
        score, classes, _ = mixed([0, 3, 1], errors, temperature=2)
        assert score[0] == pytest.approx(1 / (1 + np.exp(-(0.5 * margin - 1) / 2)))
        assert classes[0, 1:].argmax() == 0, "the likeliest attack names it"


def test_an_autoencoders_score_rises_with_its_loss_and_is_half_in_the_middle():
    sheet = Sheet()
    nothing = sheet.add("Mul", "features", sheet.number(0))
    rebuilt = heads.rebuilt(sheet, "features", nothing, 3, LossScale(middle=4.0, exponent=1.5))
    outputs = heads.autoencoder(sheet, rebuilt)
    values = {"score": (outputs.score, None), "classes": (outputs.classes, 2), "parts": (outputs.contributions, 3)}
    model = sheet.finish({"features": 3}, values).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = np.array([[2, 2, 2], [0, 0, 0], [1, 0, 0], [4, 2, 2], [8, 8, 8]], np.float32)
    score, classes, parts = session.run(None, {"features": rows})
    loss = (rows.astype(np.float64) ** 2).mean(axis=1)
    assert score == pytest.approx(loss**1.5 / (loss**1.5 + 8), abs=1e-6)
    assert classes[:, 1] == pytest.approx(score)
    assert classes.sum(axis=1) == pytest.approx(1)
    assert parts[3].tolist() == pytest.approx([16 / 3, 4 / 3, 4 / 3])
