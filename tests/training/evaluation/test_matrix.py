"""The transfer matrix: exact figures by class, weighted benign flows, and who was taught what."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.runs import quick, two_kinds
from training.evaluation import matrix, trials
from training.evaluation.matrix import ALL, CAPTURES, Exam, cell
from training.evaluation.transfer import Capture, Elsewhere
from training.splits.sources import learnt_from_one


def test_a_cell_has_the_weighted_roc_auc_and_recall_at_the_rates():
    rng = np.random.default_rng(0)
    group = np.array(["benign"] * 300 + ["dos"] * 50 + ["scan"] * 20)
    score = np.round(rng.normal(size=370) + (group == "dos") * 1.5, 1)
    weight = np.where(group == "benign", rng.uniform(0.1, 3, 370), 1.0)
    found = cell(Exam(group, weight), score, (0.1, 0.01))
    for name in ("dos", "scan"):
        rows = (group == "benign") | (group == name)
        expected = roc_auc_score(group[rows] == name, score[rows], sample_weight=weight[rows])
        assert found.auc[name] == pytest.approx(expected, abs=1e-12)
    for place, rate in enumerate((0.1, 0.01)):
        own = np.sort(score[group == "dos"])
        caught = round(found.recall["dos"][place] * 50)
        lowest = own[50 - caught]
        alerted = (group == "benign") & (score >= lowest)
        assert weight[alerted].sum() / weight[group == "benign"].sum() <= rate
        assert 0 < caught < 50


def test_without_benign_flows_a_cell_is_empty():
    assert cell(Exam(np.array(["dos"]), np.ones(1)), np.ones(1)).auc == {}


def test_captures_count_alike_and_flows_beside_an_attack_are_left_out():
    captures = (
        Capture("a", "benign", "benign-web", "strong", True),
        Capture("b", "benign", "benign-iot", "strong", True),
        Capture("c", "attack", "portscan", "strong", False),
    )
    file = np.array([0, 0, 0, 0, 1, 2, 2])
    attack = np.array([False] * 5 + [True, False])
    exam, kept = matrix.of_captures(Elsewhere(np.zeros((7, 1), np.float32), attack, file, captures, {}))
    assert kept.tolist() == [True] * 6 + [False]
    assert exam.group.tolist() == ["benign"] * 5 + ["portscan"]
    assert exam.weight[:5].tolist() == [0.25] * 4 + [1.0]


@pytest.fixture(scope="module")
def learnt():
    _, prepared = two_kinds()
    base, course = prepared.split, prepared.course
    splits = {ALL: base} | dict(learnt_from_one(base, prepared.table, prepared.kinds))
    asked = trials.asked(base, prepared.table)
    candidate = quick("logistic regression")
    fits = {name: candidate.fit(course.lesson(split), 0) for name, split in splits.items()}
    return prepared, {name: [trials.ask(fitted, course, asked)] for name, fitted in fits.items()}


def test_a_row_a_lesson_and_a_column_a_kind(learnt):
    prepared, answers = learnt
    found = matrix.build(prepared.table, prepared.split, prepared.kinds, {"lr": answers}, None)
    assert set(found.cells["lr"]) == {ALL, "testbed", "cicids2017"}
    assert set(found.asked) == {"testbed", "cicids2017"}
    assert CAPTURES not in found.asked
    assert found.cells["lr"][ALL]["testbed"][0].auc["dos"] > 0.9
    assert found.taught[ALL] == ["dos", "scan"]
    assert sum(found.asked["testbed"].values()) == (prepared.table.origin[prepared.split.test] == "thu").sum()
    assert json.dumps(found.as_dict())


def test_the_choice_looks_at_the_calibration_rows_of_the_kind_left_out(learnt):
    prepared, answers = learnt
    alone = {name: rows[0] for name, rows in answers.items() if name != ALL}
    table, base = prepared.table, prepared.split
    known, strange = matrix.left_out_recall(table, base, prepared.kinds, alone, 0.05)
    assert known > 0.5
    assert strange == 0.0
    few = base.train[table.family[base.train] != "scan"]
    untaught = replace(base, train=few)
    known, strange = matrix.left_out_recall(table, untaught, prepared.kinds, alone, 0.05)
    assert strange > 0.5
    for name, rows in alone.items():
        spoiled = rows.score.copy()
        spoiled[np.isin(rows.rows, base.test)] = 0.0
        other = alone | {name: replace(rows, score=spoiled)}
        assert matrix.left_out_recall(table, untaught, prepared.kinds, other, 0.05) == (known, strange)
