"""The tables of candidates: who stands where and why, families left out, cost."""

from dataclasses import replace

import pytest

from tests.training.runs import prepared_run
from training.report.blocks import markdown
from training.report.candidates import section
from training.selection import Rule, choose


@pytest.fixture(scope="module")
def results():
    return prepared_run("logistic regression")[2]


def test_standings_and_families_left_out(results):
    text = markdown(section(results, "a machine"), "")
    assert "| logistic regression (ships) | 1 |" in text
    assert "| candidate | dos | scan |" in text
    assert "calibration rows, decide: the first, and among" in text
    assert "Cost" not in text


def test_the_card_says_whether_a_network_beats_what_is_plain(results):
    one = results.choice.standings[0]
    names = (("dense", True, 0.9), ("forest", False, 0.95), ("gradient boosting", False, 0.8))
    ranked = [
        replace(one, candidate=name, network=network, learnt=replace(one.learnt, median=median))
        for name, network, median in names
    ]
    trials = results.same_day["logistic regression"]
    shown = replace(
        results,
        same_day=dict.fromkeys(("dense", "forest", "gradient boosting"), trials),
        unseen={name: {} for name in ("dense", "forest", "gradient boosting")},
        choice=choose(ranked, Rule(0.02, by="left_out_source", column="unseen", cost_us=9.0)),
    )
    text = markdown(section(shown, "a machine"), "")
    assert "The best network, dense, does not stand before the best plain baseline, forest" in text
    assert "learnt from each kind of data alone" in text
    assert ": the second, and among" in text
    assert "more than 9 microseconds a flow" in text


def test_costs_stand_with_their_machine(results):
    trial = results.same_day["logistic regression"][0]
    priced = replace(trial, answers=replace(trial.answers, cost_us=12.5))
    shown = replace(results, same_day=results.same_day | {"logistic regression": [priced]})
    text = markdown(section(shown, "a slow machine"), "")
    assert "| logistic regression | 12.5 | 80,000 |" in text
    assert "a slow machine." in text
