"""Figures worked out by hand."""

import json

import numpy as np
import pytest

from tests.training.seeds import connections
from training.seeds.nsl_kdd_figures import at, judge, summary, table, tpr_at


def test_a_threshold_s_figures_are_counts(tmp_path):
    test = connections.train(tmp_path, normal=8, attacks=1)
    scores = np.where(test.attack, 2.0, 0.0)
    scores[0] = 2.0
    scores[np.flatnonzero(test.label == "smurf")] = 0.0
    found = at(test, scores, 1.0)
    assert found.fpr == 1 / 8
    assert found.tpr == 3 / 4
    assert found.accuracy == 10 / 12
    assert found.f1 == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert found.recall == {"dos": 0.5, "probe": 1.0, "r2l": 1.0}


def test_thresholds_come_from_held_out_rows_and_the_own_curve_is_marked(tmp_path):
    test = connections.train(tmp_path, normal=100, attacks=5)
    scores = np.where(test.attack, 0.5, np.arange(len(test)) / 100)
    run = judge(test, scores, held=np.linspace(0, 1, 101), seed=3, rule=0.3)
    assert run.at_budget["0.1"].fpr == pytest.approx(0.1, abs=0.011)
    assert run.at_budget["0.1"].tpr == 0.0
    assert run.tpr_at_exactly["0.1"] == 0.0
    assert run.seed_rule is not None
    assert run.seed_rule.tpr == 1.0
    assert run.auc == pytest.approx(0.5, abs=0.02)


def test_ties_at_the_budget_do_not_alert():
    benign = np.array([0.0] * 90 + [1.0] * 10)
    attacks = np.array([0.4, 1.0, 2.0])
    assert tpr_at(benign, attacks, 0.05) == pytest.approx(1 / 3)
    assert tpr_at(benign, attacks, 0.10) == pytest.approx(2 / 3)


def test_seeds_are_summed_up_and_laid_out(tmp_path):
    test = connections.train(tmp_path, normal=20, attacks=5)
    runs = [judge(test, np.where(test.attack, 1.0 + seed, 0.0), np.zeros(20), seed) for seed in (0, 1)]
    found = summary(runs)
    assert found["auc"] == {"mean": 1.0, "median": 1.0, "least": 1.0, "largest": 1.0}
    assert found["at 0.01"]["fpr"]["mean"] == 0.0
    text = table({"one": found})
    assert "| one | 1.000 |" in text
    assert "TPR at exactly 1%" in text
    assert json.dumps([run.as_dict() for run in runs])
