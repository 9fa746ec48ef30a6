"""What traffic is held against comes from the calibration, or else from the bundle."""

import pytest

from sensor.calibration import AlertBudget
from sensor.fit.standard import Standard
from tests.sensor.fit.made import THRESHOLD, calibration, meta, standard, told


def test_the_calibration_says_scores_and_budget():
    made = standard(calibration("7/day"))
    assert (made.basis, made.budget, made.share) == ("own", AlertBudget(7), None)
    assert standard(calibration(), "3/week").budget == AlertBudget(3, "week")


def test_the_bundle_says_a_share_of_flows():
    made = standard()
    assert (made.basis, made.budget) == ("bundle", None)
    reached = [share for score, share in meta().calibration if score >= THRESHOLD][-1]
    assert made.share == max(reached, meta().budget.false_positive_rate)
    assert standard(None, "3/week").share is None


def test_with_events_only_what_they_tell_is_compared():
    whole = standard()
    made = standard(told=told("feature 1", "feature 3", "gone"))
    assert (whole.known, made.known, made.features.names) == (6, 6, ("feature 1", "feature 3"))
    assert {*made.features.feature.tolist()} == {1, 3}
    assert made.features.low.shape == (2, len(made.features.points))
    assert whole.told is None and len(whole.features.names) == 6


@pytest.mark.parametrize(("threshold", "ppm"), [(0.5, 500_000), (0.5000004, 500_001), (0.0, 0), (1.0, 1_000_000)])
def test_the_threshold_in_millionths_is_the_lowest_that_reaches_it(threshold, ppm):
    assert Standard.of(meta(), threshold, None, None).threshold_ppm == ppm
