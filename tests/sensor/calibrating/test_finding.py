"""The threshold found is the lowest within the budget, and what is said of it is true."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.calibrating import Gathered, calibrate, calibration_of
from sensor.calibrating.incidents import Counting
from sensor.calibrating.poisson import upper
from sensor.calibration import AlertBudget, read_calibration, write_calibration
from sensor.rulebook import read_directory
from sensor.traffic import Batch
from tests.sensor.calibrating.test_incidents import RULE
from tests.sensor.known import CLASSIFICATION
from tests.sensor.traffic.made import CLASSES, NOON_NS, row

META = SimpleNamespace(name="known", version="1", sha256="ab" * 32, classes=CLASSES)
DAY_S = 86_400


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("rules")
    (folder / "a.rules").write_text(RULE.format("dos", 1000001) + RULE.format("scan", 1000002))
    (folder / "classification.config").write_text(CLASSIFICATION)
    return read_directory(folder, {})


def gathered(scores, days: float = 1.0, most: int = 2_000_000) -> Gathered:
    """Return flows of these scores, spread over some days, each an alert of its own."""
    made = Gathered(most)
    step = days * DAY_S / max(1, len(scores) - 1)
    for at, ppm in enumerate(scores):
        end_ns = NOON_NS + int(at * step * 1e9)
        made.add(Batch(row(ppm, flow_id=at, src=f"10.{at >> 8 & 255}.{at & 255}.1", start_ns=end_ns, end_ns=end_ns)))
    return made


def find(traffic: Gathered, reading, budget: str, **options):
    return calibrate(traffic, reading, META, AlertBudget.parse(budget), **options)  # type: ignore[arg-type]


SCORES = [at * 1000 for at in range(100)]


@pytest.mark.parametrize(("budget", "alerts"), [("20/day", 20), ("1/day", 1), ("7/week", 1), ("1/hour", 24)])
def test_as_many_alerts_as_the_budget_allows(reading, budget, alerts):
    found = find(gathered(SCORES), reading, budget)
    assert found.chosen.alerts == alerts and found.chosen.alerts_per_day == pytest.approx(alerts)
    lowest = SCORES[-alerts]
    assert found.chosen.threshold == pytest.approx((lowest - 500) / 1e6)
    assert found.alerts_by_class == found.flows_by_class == {"dos": alerts}
    assert found.chosen.upper_per_day == pytest.approx(upper(alerts))
    assert (found.flows, found.days, found.gaps) == (100, pytest.approx(1.0), 0)


def test_without_an_alert_to_spare_it_lies_above_all_scores(reading):
    found = find(gathered(SCORES), reading, "0.5/day")
    assert found.chosen.alerts == 0
    assert found.chosen.threshold == pytest.approx((99_000 + 90_100) / 1e6)


def test_with_a_large_budget_everything_alerts(reading):
    found = find(gathered(SCORES[1:]), reading, "1000/hour")
    assert found.chosen.alerts == 99 and found.chosen.threshold == pytest.approx(0.001, abs=1e-6)


def test_what_can_be_certified(reading):
    short = find(gathered(SCORES, days=0.1), reading, "20/day")
    assert not short.certified and short.needed_days == pytest.approx(0.15, rel=0.01)
    assert short.days < short.needed_days and short.certain.threshold is None
    long = find(gathered(SCORES), reading, "20/day")
    assert not long.certified and long.certain.alerts == 12
    sure = find(gathered(SCORES), reading, "20/day", certain=True)
    assert sure.certified and sure.chosen == long.certain and sure.chosen.upper_per_day <= 20
    none = find(gathered(SCORES, days=0.1), reading, "20/day", certain=True)
    assert none.chosen.threshold is None and calibration_of(none, META) is None  # type: ignore[arg-type]


def test_what_it_comes_to_on_traffic_that_it_was_not_chosen_on(reading):
    """The earlier half allows its ten alerts; the later half is twice as loud at the scores that reach it."""
    loud = [at * 1000 for at in range(50)] + [30_000 + at * 500 for at in range(50)]
    found = find(gathered(loud), reading, "20/day")
    assert found.chosen.alerts == 20 and found.check is not None
    checked = found.check
    assert checked.days == pytest.approx(0.5, rel=0.01)
    assert checked.found.threshold == pytest.approx((40_000 - 500) / 1e6)
    assert checked.found.alerts == sum(ppm >= 39_500 for ppm in loud[50:]) == 31
    assert checked.found.alerts_per_day == pytest.approx(62, rel=0.01)
    assert checked.found.upper_per_day == pytest.approx(upper(31) * 2, rel=0.01)


def test_the_check_chooses_as_was_asked(reading):
    sure = find(gathered(SCORES[::-1]), reading, "20/day", certain=True)
    assert sure.check is not None and sure.check.found.alerts == 0
    assert sure.check.found.threshold > find(gathered(SCORES[::-1]), reading, "20/day").check.found.threshold
    assert find(gathered(SCORES, days=0.2), reading, "20/day", certain=True).check is None


@pytest.mark.parametrize("scores", [[5], [1_000_000] * 50])
def test_without_two_halves_or_a_threshold_nothing_is_checked(reading, scores):
    assert find(gathered(scores), reading, "20/day").check is None


def test_scores_at_the_very_top_leave_no_threshold(reading):
    found = find(gathered([1_000_000] * 50), reading, "20/day")
    assert found.chosen.threshold is None and found.alerts_by_class == {} and found.top[0].ppm == 1_000_000


def test_where_memory_ends_it_is_said(reading):
    found = find(gathered(SCORES, most=30), reading, "50/day")
    assert found.limited and found.chosen.alerts < 50 and found.flows == 100
    assert not find(gathered(SCORES, most=30), reading, "2/day").limited
    flood = find(gathered([700_000] * 60, most=30), reading, "50/day")
    assert flood.limited and flood.chosen.alerts == 0 and (flood.chosen.threshold or 0) > 0.7


def test_it_is_kept_as_it_was_found(reading, tmp_path: Path):
    found = find(gathered(SCORES), reading, "20/day")
    made = calibration_of(found, META)  # type: ignore[arg-type]
    assert made is not None
    write_calibration(tmp_path / "c.json", made)
    assert read_calibration(tmp_path / "c.json", META.sha256) == made
    assert (made.threshold, made.flows, made.alerts) == (found.chosen.threshold, 100, 20)
    assert made.hours == pytest.approx(24)


@settings(max_examples=30, deadline=None)
@given(
    flows=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(1, 2)), min_size=1, max_size=40),
    budgets=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_a_larger_budget_never_has_a_higher_threshold_and_each_is_kept(reading, flows, budgets):
    made = Gathered()
    for at, (ppm, source, class_index) in enumerate(flows):
        end_ns = NOON_NS + at * 20_000_000_000
        made.add(Batch(row(ppm, class_index, flow_id=at, src=f"10.0.0.{source}", start_ns=end_ns, end_ns=end_ns)))
    days = max(made.period.days, 1e-9)
    found = [calibrate(made, reading, META, AlertBudget(alerts / days)) for alerts in sorted(budgets)]  # type: ignore[arg-type]
    low, high = (one.chosen.threshold for one in found)
    assert low is not None and high is not None and low >= high
    counting = Counting(reading, made.rows(), CLASSES, found[0].calibration_table)
    for alerts, one in zip(sorted(budgets), found, strict=True):
        assert one.chosen.threshold is not None
        assert sum(counting.alerts(int(np.ceil(one.chosen.threshold * 1e6))).values()) == one.chosen.alerts <= alerts
