"""The card says what ships, at which budget, and what is not known."""

import pytest

from tests.training.runs import prepared_run
from training.report import card
from training.report.blocks import markdown
from training.report.card import Card


@pytest.fixture(scope="module")
def made():
    config, prepared, results, shipped = prepared_run("dense")
    return Card(config, prepared, results, results.same_day["dense"][0], shipped, None, "the command")


def test_budget_data_and_reason_stand_in_the_card(made):
    text = markdown(card.write(made, []), "pictures")
    assert "cannot be certified" in text
    assert made.results.choice.reason in text
    assert "the command" in text
    assert "0" * 64 in text
    assert "the run was given no captures" in text


def test_every_family_has_its_row_and_unseen_ones_no_learnt_figure(made):
    text = markdown(card.write(made, []), "pictures")
    for family in ("dos", "scan"):
        assert f"\n| {family} | " in text
    assert "\n| heartbleed | - | - |" in text


def test_accuracy_is_the_last_figure(made):
    text = markdown(card.write(made, []), "pictures")
    assert text.index("PR-AUC at the natural") < text.index("MCC") < text.index("| accuracy")


def test_the_bundle_carries_a_short_card(made):
    text = card.short(made.results.choice, ["one lab", "another"])
    assert len(text) < 700
    assert "Trained on one lab and another." in text
