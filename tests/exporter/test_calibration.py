"""Thresholds keep their budget, tables rank, and too few flows certify nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import calibration
from sensor.errors import NettrusionError

SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=300).map(np.array)


@given(SCORES)
def test_a_table_gives_the_share_that_scores_as_high(scores):
    table = calibration.table(scores)
    for score, share in table:
        assert share == (scores >= score).mean()
    assert list(table) == sorted(table, key=lambda entry: -entry[0])
    assert (table[0][0], table[-1][1]) == (scores.max(), 1.0)


def test_a_table_is_dense_at_the_top_and_short():
    table = calibration.table(np.random.default_rng(1).random(100_000))
    assert len(table) <= calibration.MAX_ENTRIES
    assert [round(share * 100_000) for _, share in table[:4]] == [1, 2, 3, 4]


@given(SCORES, st.floats(1e-4, 0.9))
def test_a_threshold_keeps_its_budget_unless_the_top_score_is_one(scores, rate):
    threshold, budget = calibration.threshold(scores, rate)
    above = (scores >= threshold).mean()
    assert above <= rate or (threshold == 1.0 and not budget.certified)
    assert budget.flows == len(scores)
    assert budget.false_positive_rate == rate


def test_a_threshold_lies_between_two_scores():
    scores = np.array([0.1, 0.2, 0.3, 0.5])
    assert calibration.threshold(scores, 0.25)[0] == pytest.approx(0.4)
    assert calibration.threshold(scores, 0.2)[0] == pytest.approx(0.55)  # above all: a tenth of the way


def test_equal_scores_are_kept_together():
    threshold, _ = calibration.threshold(np.array([0.1, 0.5, 0.5, 0.5]), 0.25)
    assert threshold > 0.5


@pytest.mark.parametrize(("flows", "certified"), [(2_999, False), (3_000, True)])
def test_three_flows_a_rate_certify_it(flows, certified):
    scores = np.random.default_rng(1).random(flows)
    assert calibration.threshold(scores, 1e-3)[1].certified is certified


@pytest.mark.parametrize("scores", [[], [[0.1]], [np.nan], [1.1], [-0.1]])
def test_what_are_no_scores_is_refused(scores):
    with pytest.raises(NettrusionError, match="needs scores of benign flows"):
        calibration.table(np.array(scores))


@pytest.mark.parametrize("rate", [0, 1, np.nan])
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(NettrusionError, match="false-positive rate"):
        calibration.threshold(np.array([0.5]), rate)
