"""Recall at the budget decides; a network ships only when nothing plain stands before it."""

import json
from dataclasses import replace

import pytest

from sensor.errors import NettrusionError
from tests.training.runs import prepared_run
from training.selection import Rule, Spread, Standing, choose, standing

RULE = Rule(1e-3)


def one(name, same_day, unseen, network=False, shippable=True):
    return Standing(
        name,
        network,
        shippable,
        1,
        Spread(same_day, same_day, same_day),
        Spread(unseen, unseen, unseen),
    )


def test_the_better_recall_wins():
    choice = choose([one("boosting", 0.8, 0.9), one("dense", 0.9, 0.1, network=True)], RULE)
    assert choice.winner == "dense"
    assert "boosting" in choice.reason


def test_a_tie_goes_to_the_one_that_finds_the_unseen():
    choice = choose([one("boosting", 0.985, 0.4), one("dense", 0.99, 0.1, network=True)], RULE)
    assert choice.winner == "boosting"
    assert "dense" in choice.reason


def test_a_tie_that_nothing_else_breaks_goes_to_the_simpler_which_stands_first():
    dense, sequence = one("dense", 0.798, 0.0, network=True), one("sequence", 0.805, 0.0, network=True)
    assert choose([dense, sequence], RULE).winner == "dense"
    assert choose([replace(dense, learnt=Spread(0.7, 0.7, 0.7)), sequence], RULE).winner == "sequence"
    assert choose([dense, replace(sequence, unseen=Spread(0.1, 0.1, 0.1))], RULE).winner == "sequence"


def test_where_no_family_was_left_out_none_is_spoken_of():
    _, _, results, _ = prepared_run("logistic regression")
    alone = standing("x", Rule(0.02), results.same_day["logistic regression"], {})
    assert alone.unseen is None
    choice = choose([alone], RULE)
    assert choice.reason.endswith("on learnt families")
    assert json.loads(json.dumps(choice.as_dict()))["standings"][0]["unseen"] is None


def test_what_cannot_ship_keeps_nobody_at_home_but_is_named():
    forest = one("forest", 0.99, 0.5, shippable=False)
    dense, plain = one("dense", 0.95, 0.5, network=True), one("logistic", 0.6, 0.0)
    choice = choose([forest, dense, plain], RULE)
    assert choice.winner == "dense"
    assert "forest reaches a recall of 0.990" in choice.reason
    assert "forest cannot be exported" in choice.reason
    assert "logistic, reaches a recall of 0.600" in choice.reason
    assert [standing.candidate for standing in choice.standings] == ["forest", "dense", "logistic"]


def test_a_network_behind_a_plain_baseline_that_can_ship_stays_at_home():
    forest = one("forest", 0.99, 0.5, shippable=False)
    choice = choose([forest, one("dense", 0.8, 0.5, network=True), one("logistic", 0.95, 0.0)], RULE)
    assert choice.winner == "logistic"
    assert "the best network, dense, reaches" in choice.reason


def test_a_network_alone_ships():
    assert choose([one("dense", 0.1, 0.0, network=True)], RULE).winner == "dense"


def test_nothing_to_export_is_refused():
    with pytest.raises(NettrusionError, match="exported"):
        choose([one("forest", 1.0, 1.0, shippable=False)], RULE)


def test_a_choice_is_plain_json():
    choice = choose([replace(one("dense", 0.1, 0.0), network=True)], RULE)
    assert json.loads(json.dumps(choice.as_dict()))["winner"] == "dense"


def test_a_spread_is_median_and_range():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_the_settings_say_which_column_decides_first():
    both = [one("boosting", 0.8, 0.9), one("dense", 0.9, 0.1, network=True)]
    assert choose(both, Rule(1e-3, column="unseen")).winner == "boosting"
    assert choose(both, Rule(1e-3, tie=0.2)).winner == "boosting"


def test_what_is_too_dear_does_not_ship_and_the_next_of_its_kind_does():
    dear, cheap = one("residual", 0.95, 0.5, network=True, shippable=False), one("dense", 0.9, 0.5, network=True)
    choice = choose([dear, cheap, one("boosting", 0.8, 0.1)], RULE)
    assert choice.winner == "dense"
    assert "residual cannot be exported" in choice.reason
    assert choose([dear, one("dense", 0.7, 0.5, network=True), one("boosting", 0.8, 0.1)], RULE).winner == "boosting"


def test_a_standing_is_of_the_rows_that_choose():
    _, _, results, _ = prepared_run("logistic regression")
    whole, unseen = results.same_day["logistic regression"], results.unseen["logistic regression"]
    same = standing("x", Rule(0.02), whole, unseen)
    assert same.learnt.median == whole[0].choosing.at(0.02).macro_recall
    assert same.shippable
    other = standing("x", Rule(0.02), whole, unseen, [(0.25, 0.5), (0.75, 0.5)])
    assert other.unseen is not None
    assert (other.learnt, other.unseen.median) == (Spread(0.5, 0.25, 0.75), 0.5)
    priced = [replace(whole[0], answers=replace(whole[0].answers, cost_us=30.0))]
    assert not standing("x", Rule(0.02, cost_us=20.0), priced, unseen).shippable
    assert standing("x", Rule(0.02, cost_us=40.0), priced, unseen).shippable
