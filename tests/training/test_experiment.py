"""A run fits what it names, refuses what it cannot, and counts its seeds."""

from dataclasses import replace

import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.runs import prepare, quick
from training import experiment
from training.config import DataConfig, ModelConfig, SplitConfig, TrainConfig


def silent(text: str) -> None:
    """Say nothing."""


def test_every_candidate_is_tried_on_every_column():
    _, prepared = prepare()
    runners = [quick("constant"), quick("pca"), quick("logistic regression")]
    results = experiment.compete(prepared, runners, 2, silent)
    assert set(results.same_day) == {"constant", "pca", "logistic regression"}
    assert all(set(left_out) == {"dos", "scan"} for left_out in results.unseen.values())
    assert results.choice.winner == "logistic regression"


def test_leaving_attacks_out_does_not_refit_what_learns_benign_flows_alone():
    _, prepared = prepare()
    results = experiment.compete(prepared, [quick("pca"), quick("logistic regression")], 1, silent)
    whole = results.same_day["pca"][0].fitted
    assert all(runs[0].fitted is whole for runs in results.unseen["pca"].values())
    whole = results.same_day["logistic regression"][0].fitted
    assert all(runs[0].fitted is not whole for runs in results.unseen["logistic regression"].values())


def test_candidates_are_all_or_those_named():
    everything = {one.name for one in experiment.candidates(TrainConfig())}
    assert {"dense", "autoencoder", "stump", "gradient boosting", "pca"} <= everything
    few = replace(TrainConfig(), models=ModelConfig(candidates=("pca", "dense")))
    assert [one.name for one in experiment.candidates(few)] == ["pca", "dense"]
    wrong = replace(TrainConfig(), models=ModelConfig(candidates=("denze",)))
    with pytest.raises(NettrusionError, match="no candidate denze"):
        experiment.candidates(wrong)


def test_preparing_reads_splits_and_looks_over(tmp_path):
    rows = [
        made.row(number, label, Src_IP=f"10.0.{number}.1", Flow_Duration=number)
        for number, label in enumerate(["BENIGN"] * 40 + ["Portscan"] * 40)
    ]
    made.write_csv(tmp_path / "a.csv", rows)
    config = TrainConfig(data=DataConfig(folders=(str(tmp_path),), exclude=("icmp_code",)))
    prepared = experiment.prepare(config, silent)
    assert len(prepared.table) == 80
    units = [feature.unit for feature in prepared.feature_set.features]
    assert all(units[column] == "us" for column in prepared.course.times)
    assert all(units[column].endswith("/s") for column in prepared.course.rates)
    wrong = replace(config, data=replace(config.data, exclude=("nonsense",)))
    with pytest.raises(NettrusionError, match="nonsense"):
        experiment.prepare(wrong, silent)


def test_a_split_is_by_time_or_by_day():
    _, prepared = prepare()
    with pytest.raises(NettrusionError, match="expected time or day, found 'week'"):
        experiment.divide(prepared.table, SplitConfig(by="week"))
    with pytest.raises(NettrusionError, match="train_days"):
        experiment.divide(prepared.table, SplitConfig(by="day"))
