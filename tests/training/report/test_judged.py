"""The tables of an evaluation say what can be certified and what was left out."""

import numpy as np

from training.evaluation import elsewhere
from training.evaluation.transfer import Capture, Elsewhere
from training.report.blocks import markdown
from training.report.judged import section


def test_classes_false_alerts_and_what_is_left_out_are_told():
    captures = (Capture("mon", "attack", "scan", "strong", True), Capture("mon", "benign", "benign", "strong", True))
    attack = np.array([True] * 10 + [False] * 400)
    flows = Elsewhere(np.zeros((410, 1), np.float32), attack, (~attack).astype(np.int64), captures, {"odd": 3})
    score = np.concatenate([np.full(9, 0.9), [0.1], np.full(4, 0.8), np.full(396, 0.0)])
    judged = elsewhere.judge(flows, score, None, (), 0.5, (1e-2, 1e-3))
    text = markdown(section("Recordings", judged, judged), "")
    assert "| scan | 1 | 10 | 0.999 | 90.0 % |" in text
    assert "found at FPR 0.01 |" in text
    assert "found at FPR 0.001 * |" in text
    assert "| benign | 1 | 400 | 4 | 1.0 % |" in text
    assert "odd: 3 flows left out" in text
    assert text.count("| attack: activity |") == 1
