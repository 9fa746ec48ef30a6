"""Traffic lands in the hour in which it ended, with its alerts."""

from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.fit import history
from sensor.fit.history import History
from sensor.rulebook import read_directory
from sensor.traffic import Alert, Batch
from tests.sensor.calibrating.test_incidents import RULE
from tests.sensor.fit.made import HOUR_NS, meta, standard, traffic
from tests.sensor.known import CLASSIFICATION
from tests.sensor.traffic.made import NOON_NS


def test_hours_and_days():
    made = History(standard())
    for hour in (14, 0, 13):  # noon, one and two in the night of the next day
        made.add(Batch(traffic(np.arange(10), hour), None, (Alert(NOON_NS + hour * HOUR_NS, "dos"),)))
    assert made.suited == "hour" and made.flows == 30
    assert [(seen.flows, dict(seen.alerts)) for seen in made.periods("hour")] == [(10, {"dos": 1})] * 3
    days = made.periods("day")
    assert [(seen.flows, seen.alerts["dos"]) for seen in days] == [(10, 1), (20, 2)]
    assert days[1].start_ns - days[0].start_ns == 24 * HOUR_NS


def test_more_than_two_days_are_told_by_the_day():
    made = History(standard())
    for hour in (0, 49):
        made.add(Batch(traffic(np.arange(3), hour)))
    assert made.suited == "day"
    assert History(standard()).periods("day") == []


def test_what_comes_out_of_captures_is_judged_by_the_rules(tmp_path: Path):
    (tmp_path / "a.rules").write_text(RULE.format("dos", 1000001))
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    reading = read_directory(tmp_path, {})
    made = History(standard())
    rows = traffic(np.array([5, 950_000, 960_000, 7]))
    made.add(Batch(rows, np.zeros((4, 6), np.float32)))
    made.add(Batch(traffic(np.array([970_000]), 1)))  # out of events, which bring their alerts along
    made.alert(reading, meta().calibration)
    assert [seen.alerts["dos"] for seen in made.periods("hour")] == [2, 0]


def test_what_cannot_be_kept_is_refused(monkeypatch):
    monkeypatch.setattr(history, "MAX_HOURS", 2)
    made = History(standard())
    with pytest.raises(NettrusionError, match="more than 2 hours"):
        for hour in range(3):
            made.add(Batch(traffic(np.arange(3), hour)))
    monkeypatch.setattr(history, "MAX_ROWS", 2)
    with pytest.raises(NettrusionError, match="more than 2 flows"):
        History(standard()).add(Batch(traffic(np.full(3, 950_000)), np.zeros((3, 6), np.float32)))
