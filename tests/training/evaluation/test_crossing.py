"""What is learnt on one day is asked about on another and on captures; the ruler is worked out by hand."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made, recorded
from tests.training.evaluation.test_transfer import FLOWS, HEADER, SLOWLORIS, write
from training.evaluation import crossing
from training.evaluation.transfer import Capture, Elsewhere

QUIET = "benign/benign/andypitcher__Aria_Setup-A-1-STA.pcap"


def test_benign_captures_count_alike_and_other_flows_of_attack_captures_not_at_all():
    captures = (
        Capture("a", "benign", "benign-web", "strong", True),
        Capture("b", "benign", "benign-iot", "strong", True),
        Capture("c", "attack", "portscan", "strong", False),
    )
    file = np.array([0] * 8 + [1] * 2 + [2] * 4)
    attack = np.array([False] * 10 + [True, True, True, False])
    exam = crossing.abroad(Elsewhere(np.zeros((14, 1), np.float32), attack, file, captures, {}))
    assert exam.group.tolist() == ["benign"] * 10 + ["portscan"] * 3
    assert exam.weight[:8].sum() == pytest.approx(exam.weight[8:10].sum())


def test_marks_weigh_benign_flows():
    group = np.array(["benign", "benign", "benign", "scan", "scan"])
    exam = crossing.Exam("x", np.zeros((5, 1), np.float32), group, np.array([2.0, 1.0, 1.0, 9.0, 9.0]))
    marks = crossing.mark(exam, np.array([0.1, 0.6, 0.7, 0.65, 0.9]))
    assert marks.auc["scan"] == pytest.approx((0.75 + 1.0) / 2)
    assert marks.false_positive_rate == pytest.approx(0.5)
    assert marks.recall["scan"] == 0.5


@pytest.mark.parametrize(
    ("rate", "threshold"),
    [(0.01, 0.9), (0.25, 0.5), (0.5, 0.5), (0.75, 0.1), (0.8, 0.1)],
)
def test_a_threshold_lets_no_more_than_its_rate_above(rate, threshold):
    score = np.array([0.9, 0.5, 0.5, 0.1])
    assert crossing.threshold_at(score, np.ones(4), rate) == threshold
    assert (score > threshold).mean() <= rate


def test_learners_find_what_they_learnt():
    table = made.table(rows=40, benign=300)
    for learner in crossing.learners():
        score = learner.fit(table, 0)(table.features)
        assert score[~table.benign].mean() > 0.8 > 0.2 > score[table.benign].mean()


def test_attack_labels_are_thinned_and_benign_rows_are_not():
    table = made.table(rows=30, benign=100)
    kept = crossing.thinned(table, 10)
    assert kept.benign.sum() == 100
    assert set(np.unique(kept.label[~kept.benign], return_counts=True)[1].tolist()) == {10}
    assert "heartbleed" in kept.family


def test_days_are_learnt_and_asked_about_once(dev_captures, tmp_path, monkeypatch):
    first = crossing.learners()[:1]
    monkeypatch.setattr(crossing, "learners", lambda: first)
    for number, name in enumerate(("mon", "tue", "wed")):
        recorded.write(tmp_path / "days", name, recorded.day(number))
    labels = write(
        tmp_path / "labels.tsv",
        HEADER,
        [
            [SLOWLORIS, "attack", "slowloris", "slowloris", "ANY", "strong"],
            [QUIET, "benign", "benign", "benign-iot", "", "strong"],
        ],
    )
    flow_labels = write(tmp_path / "flows.tsv", FLOWS, [])
    course = crossing.Course(dev_captures, labels, flow_labels, "cic2022", "cns22", 2)
    said: list[str] = []
    found = crossing.run(course, [tmp_path / "days"], (), (("mon",), ("wed",)), said.append)
    marks = found.marks["logistic regression"]["testbed"]
    assert set(marks) == {"another day", "real captures"}
    assert [sorted(one.auc) for one in marks["another day"]] == [["bruteforce", "scan"]]
    assert min(one.auc["bruteforce"] for one in marks["another day"]) > 0.95
    assert found.learnt == {"testbed": {"benign": 120, "bruteforce": 30, "scan": 30}}
    assert found.flows["another day"]["benign"] == 120
    with pytest.raises(NettrusionError, match="no day sun; there are mon, tue, wed"):
        crossing.run(course, [tmp_path / "days"], (), (("sun",), ()), said.append)
    with pytest.raises(NettrusionError, match="one part"):
        crossing.run(course, [tmp_path / "days"], (), (("mon",), ("mon",)), said.append)
    with pytest.raises(NettrusionError, match="nothing to learn from"):
        crossing.run(course, [], (), ((), ()), said.append)
