"""Verdicts: what fits is ok, what does not is named with its reason and limit."""

import numpy as np
import pytest

from sensor.drift import LEAST_FLOWS
from sensor.fit import History, Seen, judge, judgement
from sensor.fit.judgement import Verdict
from sensor.traffic import Batch
from tests.sensor.detector.made import sample
from tests.sensor.fit.made import calibration, standard, told, traffic
from tests.sensor.fit.test_spread import drawn

QUIET = np.minimum(drawn(5, 4000), 890_000)


def seen(ppm=QUIET, alerts: int = 0, features=None, against=None) -> Seen:
    made = Seen(0)
    made.add(traffic(ppm), features, against or standard(calibration()))
    made.alerts["dos"] = alerts
    return made


@pytest.mark.parametrize("own", [True, False])
def test_traffic_as_expected_is_ok_without_a_reason(own):
    against = standard(calibration() if own else None)
    found = judge(seen(against=against), against)
    assert (found.verdict, found.reasons) == (Verdict.ok, ())
    assert found.distance is not None and found.distance < 0.05 and found.features is None


def test_too_few_flows_have_no_verdict():
    found = judge(seen(QUIET[: LEAST_FLOWS - 1], alerts=1000), standard(calibration()))
    assert found.verdict is Verdict.few and found.distance is None
    assert judge(seen(QUIET[:LEAST_FLOWS]), standard(calibration())).verdict is not Verdict.few


@pytest.mark.parametrize(
    ("alerts", "verdict"),
    # Two an hour are allowed. By Garwood's limits five may be chance (lower limit 1.97), six are not (2.61).
    [(2, Verdict.ok), (3, Verdict.watch), (5, Verdict.watch), (6, Verdict.recalibrate), (500, Verdict.recalibrate)],
)
def test_alerts_are_held_against_the_budget(alerts, verdict):
    found = judge(seen(alerts=alerts), standard(calibration("49/day")))
    assert found.verdict is verdict and found.alerts == alerts
    assert (not found.reasons) == (verdict is Verdict.ok)


def test_one_alert_is_no_reason_however_small_the_budget():
    assert judge(seen(alerts=1), standard(calibration("22/day"))).verdict is Verdict.ok


@pytest.mark.parametrize(
    ("power", "own", "verdict"),
    [
        (5, True, Verdict.ok),
        (4.0, True, Verdict.watch),
        (2.5, True, Verdict.recalibrate),
        (4.0, False, Verdict.ok),
        (2.0, False, Verdict.watch),
        (0.05, True, Verdict.retrain),
        (0.05, False, Verdict.retrain),
    ],
)
def test_scores_are_held_against_those_expected(power, own, verdict):
    ppm = np.minimum(drawn(6, 8000, power), 890_000)
    against = standard(calibration() if own else None)
    assert judge(seen(ppm, against=against), against).verdict is verdict


def test_of_few_flows_only_what_chance_does_not_make_counts():
    against = standard(calibration())
    many, few = (
        judge(seen(np.minimum(drawn(6, n, 4.2), 890_000), against=against), against).reasons for n in (8000, 300)
    )
    assert any("scores lie" in reason for reason in many)
    assert not any("scores lie" in reason for reason in few)


@pytest.mark.parametrize(
    ("times", "verdict"), [(1, Verdict.ok), (2, Verdict.ok), (4, Verdict.watch), (11, Verdict.recalibrate)]
)
def test_without_a_budget_the_share_of_the_bundle_counts(times, verdict):
    against = standard()
    ppm = np.append(QUIET, np.full(round(len(QUIET) * (against.share or 0) * times), 950_000))
    share = (len(ppm) - len(QUIET)) / len(ppm)
    found = judge(seen(ppm, against=against), against)
    assert found.share == pytest.approx(share)
    if (against.share or 1) * times < 0.9:
        assert found.verdict is verdict or share / (against.share or 1) < times - 0.5


def test_features_far_from_training_are_named():
    rows, labels = sample(4000)
    usual = np.resize(rows[labels == 0], (len(QUIET), rows.shape[1]))
    close = judge(seen(features=usual), standard(calibration()))
    assert close.verdict is Verdict.ok and close.features is not None and close.features < 0.2
    far = judge(seen(features=usual * 1000), standard(calibration()))
    assert far.features is not None and far.features > close.features
    assert far.worst and far.worst[0][0].startswith("feature")


def test_what_events_tell_is_no_ground_to_train_anew(monkeypatch):
    """As far away as medians can show; the same features out of captures ask for another model."""
    monkeypatch.setattr(judgement, "RETRAIN_FEATURES", 0.45)
    far, against = told("feature 1", factor=1e6), calibration()
    found = {}
    for name, standards in (("events", standard(against, told=far)), ("captures", standard(against))):
        history = History(standards)
        rows = traffic(QUIET)
        history.add(Batch(rows, None if name == "events" else far.features(rows)))
        found[name] = judge(history.periods("hour")[0], standards)
    assert found["events"].features is not None and found["events"].features >= 0.49
    assert found["events"].worst == (("feature 1", found["events"].features),)
    assert (found["events"].verdict, found["captures"].verdict) == (Verdict.watch, Verdict.retrain)


def test_events_that_tell_no_feature_are_judged_by_their_scores():
    against = standard(calibration(), told=told())
    history = History(against)
    history.add(Batch(traffic(QUIET)))
    found = judge(history.periods("hour")[0], against)
    assert (found.verdict, found.features, found.worst) == (Verdict.ok, None, ())


def test_the_gravest_reason_comes_first():
    ppm = np.minimum(drawn(6, 8000, 0.05), 890_000)
    found = judge(seen(ppm, alerts=3), standard(calibration()))
    assert found.verdict is Verdict.retrain
    assert "scores lie" in found.reasons[0] and "3 alerts" in found.reasons[-1]
