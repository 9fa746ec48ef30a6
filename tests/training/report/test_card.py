"""The card says what ships, at which budget, and what is not known."""

from dataclasses import replace

import pytest

from tests.training.runs import prepared_run
from training.evaluation.elsewhere import Abroad, Group
from training.report import card
from training.report.blocks import markdown
from training.report.card import Card

ABROAD = Abroad(
    attacks=[Group("slowloris", 1, 300, 0.997, 0.5, 1.0, "slowdos", 0.99)],
    benign=[Group("benign-web", 48, 2018, 0.026, 0.074, 1.0, "scan", None)],
    benign_flows=2018,
    false_positive_rate=0.026,
    false_positive_rate_by_capture=0.074,
    interval=(0.01, 0.05),
    rates=(0.01,),
    at_rate={"slowloris": [0.9]},
    left_out={},
)


@pytest.fixture(scope="module")
def made():
    config, prepared, results, shipped = prepared_run("dense")
    return Card(config, prepared, results, results.same_day["dense"][0], shipped, ABROAD, "the command")


def test_budget_data_and_reason_stand_in_the_card(made):
    text = markdown(card.write(made, []), "pictures")
    assert "cannot be certified" in text
    assert made.results.choice.reason in text
    assert "the command" in text
    assert "0" * 64 in text
    assert "| slowloris | 1 | 300 | 99.7 % | 50.0 % | slowdos | 0.990 |" in text
    assert "| benign-web | 48 | 2018 | 52 | 2.6 % | 7.4 % | 100.0 % |" in text


def test_every_family_has_its_row_and_unseen_ones_no_learnt_figure(made):
    text = markdown(card.write(made, []), "pictures")
    for family in ("dos", "scan"):
        assert f"\n| {family} | " in text
    assert "\n| heartbleed | - | - |" in text


def test_accuracy_is_the_last_figure(made):
    text = markdown(card.write(made, []), "pictures")
    assert text.index("PR-AUC at the natural") < text.index("MCC") < text.index("| accuracy")


def test_rivals_elsewhere_are_told(made):
    text = markdown(card.write(replace(made, rivals={"pca": ABROAD}), []), "pictures")
    assert "| pca | 2.6 % | 7.4 % | 50.0 % |" in text
    assert "| pca |" not in markdown(card.write(made, []), "pictures")


def test_without_captures_the_card_says_so(made):
    text = markdown(card.write(replace(made, abroad=None), []), "pictures")
    assert "the run was given no captures" in text


def test_the_bundle_carries_a_short_card(made):
    assert len(card.short(made.results.choice)) < 700
