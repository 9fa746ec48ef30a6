"""What candidates share: weights and log-odds."""

import numpy as np
import pytest

from training.models.candidate import balanced_weights, log_odds


def test_half_of_the_weight_is_benign_and_a_class_counts_by_its_root():
    target = np.repeat([0, 1, 2], [10, 400, 100])
    weights = balanced_weights(target)
    assert weights.mean() == pytest.approx(1)
    mass = np.bincount(target, weights=weights)
    assert mass[0] == pytest.approx(mass[1:].sum())
    assert mass[1] / mass[2] == pytest.approx(2)


def test_a_class_without_rows_gets_no_weight_and_no_warning():
    assert np.isfinite(balanced_weights(np.array([0, 3, 3]))).all()


def test_log_odds_are_finite_at_certainty_and_sum_the_attacks():
    found = log_odds(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 0.25]]))
    assert np.isfinite(found).all()
    assert found[0] < found[2] == 0 < found[1]
