"""Score heads on numbers that can be followed by hand."""

import numpy as np
import onnxruntime
import pytest

from exporter import heads
from exporter.scoring import LossScale, Scoring
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


def test_an_autoencoders_score_rises_with_its_loss_and_is_half_in_the_middle():
    sheet = Sheet()
    nothing = sheet.add("Mul", "features", sheet.number(0))
    outputs = heads.autoencoder(sheet, "features", nothing, 3, LossScale(middle=4.0, exponent=1.5))
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
