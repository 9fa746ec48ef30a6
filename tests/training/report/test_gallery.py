"""A card's pictures: curves, ranking, confusion, reliability, scores, losses and the transfer matrix."""

from dataclasses import replace

import numpy as np

from tests.training.runs import prepared_run
from training.evaluation.matrix import ALL, Cell, Matrix
from training.report.card import Card
from training.report.gallery import draw


def full(winner):
    config, prepared, results, shipped = prepared_run(winner)
    return Card(config, prepared, results, results.same_day[winner][0], shipped, None, "x")


def test_a_classifier_has_every_picture_but_the_matrix_of_one_kind(tmp_path):
    drawn = draw(full("logistic regression"), tmp_path)
    names = [path.name for path, _ in drawn]
    assert names == ["roc.png", "confusion.png", "reliability.png", "scores.png"]
    assert all(path.stat().st_size > 1000 and caption.endswith(".") for path, caption in drawn)


def test_several_kinds_have_a_matrix(tmp_path):
    card = full("logistic regression")
    row = {"a": [Cell({"dos": 0.5}, {"dos": [0.1, 0.0]})], "b": [Cell({"dos": 0.5, "scan": 1.0}, {})]}
    matrix = Matrix({"logistic regression": {"a": row, ALL: row}}, {}, {name: {"dos": 1, "scan": 1} for name in "ab"})
    drawn = draw(replace(card, results=replace(card.results, matrix=matrix)), tmp_path)
    assert "matrix.png" in [path.name for path, _ in drawn]


def test_networks_have_curves_and_an_autoencoder_its_losses(tmp_path):
    card = full("logistic regression")
    trial = card.results.same_day["logistic regression"][0]
    history = {name: [0.9, 0.5] for name in ("loss", "val_loss")}
    loss = replace(trial, answers=replace(trial.answers, history=history, score=np.abs(trial.answers.score)))
    shown = replace(card, results=replace(card.results, same_day=card.results.same_day | {"autoencoder": [loss]}))
    names = [path.name for path, _ in draw(shown, tmp_path)]
    assert {"curves-autoencoder.png", "reconstruction.png"} <= set(names)
