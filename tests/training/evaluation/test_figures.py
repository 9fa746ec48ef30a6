"""Figures on scores whose quality is known."""

import json

import numpy as np
import pytest

from tests.training import made
from training.datasets.labels import CLASSES
from training.evaluation.budget import OperatingPoint
from training.evaluation.figures import judge


@pytest.fixture
def table():
    return made.table(rows=10, benign=100)


def test_a_perfect_score_finds_everything(table):
    probability = np.eye(len(CLASSES))[np.maximum(table.target, 0)]
    score = (~table.benign).astype(float)
    found = judge(table, score, [OperatingPoint(0.01, 0.5, 400)], probability)
    at = found.at(0.01)
    assert at.macro_recall == 1.0
    assert at.false_positive_rate == 0.0
    assert at.false_positive_bound == pytest.approx(0.03)
    assert (found.pr_auc, found.roc_auc, found.mcc, found.accuracy) == (1, 1, 1, 1)
    assert found.macro_f1 == 1.0
    assert json.dumps(found.as_dict())


def test_recall_is_by_family_and_the_mean_is_over_learnt_ones(table):
    score = np.where(np.isin(table.family, ["dos", "heartbleed"]), 1.0, 0.0)
    at = judge(table, score, [OperatingPoint(0.01, 0.5, 100)]).at(0.01)
    assert at.recall["dos"] == at.recall["heartbleed"] == 1.0
    assert at.recall["web"] == 0.0
    assert at.macro_recall == pytest.approx(1 / 7)
    assert at.recall_by_label["dos hulk"] == 1.0
    assert at.verdict == "cannot be certified"


def test_accuracy_and_pr_auc_are_at_the_natural_ratio(table):
    score = np.zeros(len(table))
    table.weight[table.benign] = 10_000.0
    found = judge(table, score, [OperatingPoint(0.01, 0.5, 100)])
    assert found.accuracy > 0.99
    assert found.pr_auc < 0.01
