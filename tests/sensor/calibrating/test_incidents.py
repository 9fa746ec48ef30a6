"""Alerts at a threshold are those that the rulebook makes."""

from pathlib import Path

import numpy as np
import pytest

from sensor.calibrating.incidents import Counting
from sensor.rulebook import read_directory
from tests.sensor.known import CLASSIFICATION
from tests.sensor.traffic.made import CLASSES, NOON_NS, row

RULE = (
    'alert ip any any -> any any (msg:"x"; flowbits:isset,ml.{}; threshold:type limit, track by_src, count 1, '
    "seconds 60; classtype:denial-of-service; priority:3; sid:{}; rev:1;)\n"
)
TABLE = ((0.9, 0.1), (0.0, 1.0))


@pytest.fixture
def reading(tmp_path: Path):
    (tmp_path / "a.rules").write_text(RULE.format("dos", 1000001) + RULE.format("scan", 1000002))
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    return read_directory(tmp_path, {})


def at(second: float, ppm: int, number: int, **fields):
    end_ns = NOON_NS + int(second * 1e9)
    return row(ppm, flow_id=number, start_ns=end_ns - 1000, end_ns=end_ns, **fields)


def test_many_flows_of_a_source_within_a_window_are_one_alert(reading):
    rows = np.concatenate([at(second, 900_000 + second, second) for second in range(50)])
    counting = Counting(reading, rows, CLASSES, TABLE)
    assert counting.alerts(0) == {"dos": 1}
    assert counting.told(0) == [(NOON_NS, "dos")]
    assert counting.alerts(900_049) == {"dos": 1} and counting.alerts(900_050) == {}


def test_windows_sources_and_classes_are_alerts_of_their_own(reading):
    rows = np.concatenate(
        [at(0, 10, 1), at(70, 20, 2), at(71, 30, 3, src="192.0.2.8"), at(72, 40, 4, class_index=2), at(73, 50, 5)]
    )
    counting = Counting(reading, rows, CLASSES, TABLE)
    assert counting.alerts(0) == {"dos": 3, "scan": 1}
    assert [sum(counting.alerts(ppm).values()) for ppm in counting.scores_ppm.tolist()] == [4, 3, 3, 2, 1]


def test_captures_have_nothing_to_do_with_each_other(reading):
    rows = np.concatenate([at(0, 10, 1, segment=1), at(0, 10, 1, segment=2)])
    assert Counting(reading, rows, CLASSES, TABLE).alerts(0) == {"dos": 2}


def test_no_flows_are_no_alerts(reading):
    assert Counting(reading, at(0, 1, 1)[:0], CLASSES, TABLE).alerts(0) == {}
