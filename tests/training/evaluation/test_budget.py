"""From a share of false alerts to a threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.budget import operating_point, precision, upper_bound


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=200),
    st.sampled_from([0.5, 0.1, 0.01, 0.001]),
)
def test_no_more_benign_flows_alert_than_the_budget_has(values, rate):
    benign = np.array(values, dtype=np.float64)
    point = operating_point(benign, rate)
    assert (benign >= point.threshold).mean() <= rate
    lower = np.unique(benign[benign < point.threshold])
    if len(lower):
        assert (benign >= lower[-1]).mean() > rate


def test_the_threshold_lies_between_two_scores():
    assert operating_point(np.arange(10.0), 0.2).threshold == 7.5


def test_few_flows_certify_nothing():
    point = operating_point(np.zeros(299), 0.01)
    assert not point.certified
    assert point.verdict == "cannot be certified"
    assert operating_point(np.zeros(300), 0.01).certified


def test_no_scores_give_no_threshold():
    with pytest.raises(ValueError, match="benign"):
        operating_point(np.array([]), 0.1)


def test_precision_falls_with_the_base_rate():
    assert precision(1.0, 0.001, 0.001) == pytest.approx(0.5, abs=0.001)
    assert precision(1.0, 0.001, 1e-5) < 0.01
    assert precision(0.0, 0.0, 0.01) == 0.0


def test_a_bound_is_above_the_rate_and_three_over_n_at_zero():
    assert upper_bound(0, 300) == pytest.approx(0.01)
    assert 0.02 < upper_bound(6, 300) < 0.05
    assert upper_bound(0, 0) == 1.0
