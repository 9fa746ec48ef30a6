"""Recall at the budget decides; a network ships only when nothing plain stands before it."""

import json
from dataclasses import replace

import pytest

from training.selection import Spread, Standing, choose


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
    choice = choose([one("boosting", 0.8, 0.9), one("dense", 0.9, 0.1, network=True)], 1e-3)
    assert choice.winner == "dense"
    assert "boosting" in choice.reason


def test_a_tie_goes_to_the_one_that_finds_the_unseen():
    choice = choose([one("boosting", 0.985, 0.4), one("dense", 0.99, 0.1, network=True)], 1e-3)
    assert choice.winner == "boosting"
    assert "dense" in choice.reason


def test_a_network_behind_any_plain_baseline_stays_at_home():
    forest = one("forest", 0.99, 0.5, shippable=False)
    dense, plain = one("dense", 0.95, 0.5, network=True), one("logistic", 0.6, 0.0)
    choice = choose([forest, dense, plain], 1e-3)
    assert choice.winner == "logistic"
    assert "cannot be exported" in choice.reason
    assert [standing.candidate for standing in choice.standings] == ["forest", "dense", "logistic"]


def test_a_network_alone_ships():
    assert choose([one("dense", 0.1, 0.0, network=True)], 1e-3).winner == "dense"


def test_nothing_to_export_is_refused():
    with pytest.raises(ValueError, match="exported"):
        choose([one("forest", 1.0, 1.0, shippable=False)], 1e-3)


def test_a_choice_is_plain_json():
    choice = choose([replace(one("dense", 0.1, 0.0), network=True)], 1e-3)
    assert json.loads(json.dumps(choice.as_dict()))["winner"] == "dense"


def test_a_spread_is_median_and_range():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
