"""Recall at the budget decides among what the sensor can run, and whoever stands before is told of."""

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


def test_a_network_behind_a_plain_baseline_that_can_ship_stays_at_home():
    boosting, dense = one("boosting", 0.99, 0.5), one("dense", 0.95, 0.5, network=True)
    choice = choose([boosting, dense, one("logistic", 0.6, 0.0)], 1e-3)
    assert choice.winner == "boosting"
    assert "the best network, dense, reaches" in choice.reason


def test_who_cannot_be_exported_or_costs_too_much_is_told_of_and_stays_at_home():
    forest, boosting = one("forest", 0.99, 0.5, shippable=False), one("boosting", 0.97, 0.5)
    dense, plain = one("dense", 0.95, 0.5, network=True), one("logistic", 0.6, 0.0)
    choice = choose([forest, boosting, dense, plain], 1e-3, {"boosting": 25.4})
    assert choice.winner == "dense"
    assert "forest reaches a recall of 0.990" in choice.reason
    assert "cannot be exported" in choice.reason
    assert "boosting reaches a recall of 0.970" in choice.reason
    assert "costs 25 microseconds" in choice.reason
    assert "could ship, logistic, reaches" in choice.reason
    assert [standing.candidate for standing in choice.standings] == ["forest", "boosting", "dense", "logistic"]


def test_nothing_that_the_sensor_has_the_time_for_is_refused():
    with pytest.raises(ValueError, match="cost"):
        choose([one("boosting", 1.0, 1.0)], 1e-3, {"boosting": 25.0})


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
