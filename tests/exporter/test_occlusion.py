"""Contributions that say what occlusion says agree with it, others do not."""

import numpy as np
import pytest

from exporter.occlusion import Agreement, agreement, compared, log_odds, occluded, spearman
from sensor.detector.scoring import without_output
from sensor.detector.session import Session
from tests.sensor.detector.made import good, linear, sample

ROWS, LABELS = sample(300)


def test_a_linear_model_of_two_classes_is_explained_wholly():
    """Its log-odds are a sum over features: what one contributes is what it costs to lose it."""
    weights, medians = np.array([2.0, -1.0, 0.5]), np.zeros(3, np.float32)
    rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    drops = occluded(lambda given: given.astype(np.float64) @ weights, rows, medians)
    assert drops == pytest.approx(rows * weights, abs=1e-6)
    found = compared(rows * weights, drops)
    assert (found.alerts, found.rank_correlation, found.top_share) == (40, 1.0, 1.0)


def test_reasons_drawn_by_lot_agree_with_nothing():
    rng = np.random.default_rng(1)
    found = compared(rng.normal(size=(200, 30)), rng.normal(size=(200, 30)))
    assert found.rank_correlation == pytest.approx(0, abs=0.1)
    assert found.top_share == pytest.approx(0.1, abs=0.08)


def test_alerts_that_nothing_held_up_say_nothing():
    found = compared(np.ones((3, 4)), np.zeros((3, 4)))
    assert found == Agreement(3, None, None)


def test_two_features_have_no_rank_but_a_costliest():
    found = compared(np.array([[2.0, 1.0, 0.0, 0.0]]), np.array([[3.0, 1.0, 0.0, 0.0]]))
    assert found == Agreement(1, None, 1.0)


def test_an_order_is_asked_for_where_occlusion_has_one():
    """Reasons that are all alike do not explain drops that differ; of like drops there is no order to meet."""
    alike, rising = np.ones((1, 4)), np.arange(4.0)[None]
    assert compared(alike, rising) == Agreement(1, 0.0, 0.0)
    assert compared(rising + 1, alike).rank_correlation is None


def test_a_bundle_is_asked_about_its_alerts():
    _, scoring = linear()
    found = agreement(good(), ROWS, scoring.medians, 0.5, count=50)
    assert found.alerts == 50
    assert found.rank_correlation is not None and found.rank_correlation > 0.7
    assert found.top_share is not None and found.top_share > 0.9
    highest = agreement(good(), ROWS, scoring.medians, 1.1, count=50)
    assert highest.alerts == 50


def test_log_odds_stay_exact_where_the_score_is_one():
    session = Session(without_output(good(), "contributions"), ("score", "classes"))
    odds = log_odds(session)(np.exp(np.linspace(0, 8, 50))[:, None].astype(np.float32) * np.ones(6, np.float32))
    assert np.isfinite(odds).all() and len(np.unique(odds)) > 25


def test_equal_values_share_a_rank():
    assert spearman(np.array([1.0, 1, 2]), np.array([5.0, 5, 9])) == pytest.approx(1)
    assert spearman(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert spearman(np.ones(3), np.array([3.0, 2, 1])) == 0
