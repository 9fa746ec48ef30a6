"""Settings: defaults, a file above them, refusals that help."""

import pytest

from sensor.errors import NettrusionError
from training.config import BudgetConfig, ChooseConfig, TrainConfig, load


def write(tmp_path, text):
    path = tmp_path / "run.toml"
    path.write_text(text)
    return path


def test_the_file_of_the_bundled_model_is_valid_and_names_no_folder(repo):
    config = load(repo / "training" / "first-light.toml")
    assert config.models.seeds == 5
    assert config.data.folders == ()
    assert config.transfer.captures == ""
    assert "init_win_bytes_fwd" in config.data.exclude


def test_the_file_for_days_names_a_day_for_every_part(repo):
    split = load(repo / "training" / "days.toml").split
    assert split.by == "day"
    assert split.train_days and split.calibration_days and split.test_days
    assert (
        load(repo / "training" / "days.toml").data.exclude == load(repo / "training" / "first-light.toml").data.exclude
    )


def test_the_file_for_the_wire_learns_from_two_kinds_and_is_chosen_on_another_day(repo):
    config = load(repo / "training" / "wire.toml")
    assert config.data.feature_set == config.data.variant == "flow1"
    assert config.split.by == "mixed"
    assert config.split.timed == ("cicids2017",)
    assert config.choose.by == "same"
    assert not {*config.split.train_days} & {*config.split.calibration_days, *config.split.test_days}
    assert config.transfer.captures == ""
    assert any("published release" in note for note in config.notes)


def test_a_file_stands_above_the_defaults(tmp_path):
    path = write(tmp_path, 'name = "x"\n[budget]\nrate = 1\n[data]\nexclude = ["a"]\n')
    config = load(path)
    assert (config.name, config.budget.rate, config.data.exclude) == ("x", 1.0, ("a",))
    assert config.split == TrainConfig().split


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[budget]\nrat = 0.1\n", "did you mean rate"),
        ("[models]\nseeds = 'five'\n", "expected int, found 'five'"),
        ("[budget]\nalerts_a_day = 'x'\n", "expected number"),
        ("[zzz]\n", "known: budget"),
        ("= 1", "not TOML"),
        ("[split]\nby = 'week'\n", "split.by: expected time or day or mixed, found 'week'"),
        ("[choose]\nby = 'luck'\n", "choose.by: expected same or left_out_source"),
        ("[choose]\nrate = 0.5\n", r"choose.rate: expected a rate that is reported \(0.01, 0.001\)"),
        ("[choose]\ncolumn = 'test'\n", "choose.column: expected learnt or unseen"),
        ("[choose]\nby = 'left_out_source'\n[models]\nsources = false\n", "needs models.sources"),
        ("[models]\nseeds = 0\n", "at least one seed"),
        ("[models]\nseeds = 2\nleft_out_seeds = 3\n", r"models.left_out_seeds: expected 0 .* to 2"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(tmp_path, text, said):
    with pytest.raises(NettrusionError, match=said):
        load(write(tmp_path, text))


def test_a_missing_file_is_an_error_for_its_operator(tmp_path):
    with pytest.raises(NettrusionError, match="readable TOML"):
        load(tmp_path / "gone.toml")


def test_a_budget_in_alerts_a_day_is_a_rate():
    config = TrainConfig(budget=BudgetConfig(alerts_a_day=50.0, flows_a_day=1e6))
    assert config.alert_rate == pytest.approx(5e-5)
    assert config.budgets == (0.01, 0.001, config.alert_rate)


def test_candidates_are_compared_at_the_budget_or_at_a_rate_of_their_own():
    assert TrainConfig().choose_rate == 0.001
    assert TrainConfig(choose=ChooseConfig(rate=0.01)).choose_rate == 0.01


def test_the_alert_budget_is_the_last_of_those_reported():
    assert TrainConfig(budget=BudgetConfig(rate=0.01)).budgets == (0.001, 0.01)
