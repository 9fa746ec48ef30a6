"""The transfer column counts flows and captures apart."""

import json

import numpy as np
import pytest

from training.evaluation import elsewhere
from training.evaluation.transfer import Capture, Elsewhere


def flows():
    captures = (
        Capture("a", "attack", "portscan", "strong", True),
        Capture("b", "attack", "portscan", "strong", True),
        Capture("c", "benign", "benign-web", "strong", True),
        Capture("d", "mixed", "mixed-ics", "strong", False),
    )
    file = np.array([0] * 98 + [1] * 2 + [2] * 10 + [3] * 4)
    attack = np.array([True] * 100 + [False] * 10 + [True, True, False, False])
    return Elsewhere(np.zeros((114, 3), np.float32), attack, file, captures, {"why": 3})


def test_flows_and_captures_are_counted_apart():
    given = flows()
    score = np.where(given.file == 0, 0.9, 0.1)
    score[-1] = 0.95
    probability = np.tile([0.2, 0.1, 0.7], (114, 1))
    found = elsewhere.judge(given, score, probability, ("benign", "dos", "scan"), 0.5, (0.5,))
    scan = next(row for row in found.attacks if row.group == "portscan")
    assert (scan.captures, scan.flows, scan.called) == (2, 100, "scan")
    assert scan.alerted == pytest.approx(0.98)
    assert scan.alerted_by_capture == pytest.approx(0.5)
    assert {row.group: row.alerted for row in found.benign} == {
        "benign beside attack": 0.5,
        "benign-web": 0.0,
    }
    assert found.false_positive_rate == pytest.approx(1 / 12)
    assert found.at_rate["portscan"] == [0.98]
    assert found.interval is None
    assert json.dumps(found.as_dict())
