"""A run fits what it names, refuses what it cannot, and counts its seeds."""

from dataclasses import replace

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.runs import Spy, identities, prepare, quick, two_kinds
from training import experiment
from training.cache import Cache
from training.checkpoint import Store
from training.config import ChooseConfig, DataConfig, ModelConfig, SplitConfig, TrainConfig, TransferConfig
from training.evaluation import trials
from training.evaluation.matrix import ALL


def silent(text: str) -> None:
    """Say nothing."""


def test_every_candidate_is_tried_on_every_column():
    config, prepared = prepare()
    runners = [quick("constant"), quick("pca"), quick("logistic regression")]
    results = experiment.compete(prepared, runners, config, silent)
    assert set(results.same_day) == {"constant", "pca", "logistic regression"}
    assert all(set(left_out) == {"dos", "scan"} for left_out in results.unseen.values())
    assert results.choice.winner == "logistic regression"
    assert list(results.matrix.cells["pca"]) == [ALL]


def test_leaving_attacks_out_does_not_refit_what_learns_benign_flows_alone():
    config, prepared = prepare()
    results = experiment.compete(prepared, [quick("pca"), quick("logistic regression")], config, silent)
    whole = results.same_day["pca"][0].answers
    assert all(runs[0].answers is whole for runs in results.unseen["pca"].values())
    whole = results.same_day["logistic regression"][0].answers
    assert all(runs[0].answers is not whole for runs in results.unseen["logistic regression"].values())


def test_no_fit_of_any_column_sees_a_row_that_reports():
    config, prepared = two_kinds()
    spy = Spy()
    jobs = experiment.plan(prepared, [spy], config)
    assert {job.column for job in jobs} == {ALL, "testbed alone", "cicids2017 alone", "without dos", "without scan"}
    results = experiment.compete(prepared, [spy, quick("logistic regression")], config, silent)
    kept_back = identities(prepared.table.rows(np.concatenate([prepared.split.test, prepared.split.purged])))
    assert len(spy.shown) == len(jobs)
    assert not any(shown & kept_back for shown in spy.shown)
    assert list(results.matrix.cells["spy"]) == ["testbed", "cicids2017", ALL]
    for shown, job in zip(spy.shown, jobs, strict=True):
        if job.column.endswith(" alone"):
            sources = prepared.kinds[job.column.removesuffix(" alone")]
            assert shown <= identities(prepared.table.rows(np.isin(prepared.table.origin, sources)))


def test_choosing_by_a_left_out_source_looks_at_the_other_kind_alone():
    config, prepared = two_kinds()
    config = replace(config, choose=ChooseConfig(by="left_out_source"), models=replace(config.models, families=False))
    runners = [quick("pca"), quick("logistic regression")]
    results = experiment.compete(prepared, runners, config, silent)
    assert results.choice.rule.by == "left_out_source"
    assert {one.candidate: one.learnt.median for one in results.choice.standings}["logistic regression"] > 0.9
    alone = replace(prepared, kinds={"testbed": prepared.table.sources})
    with pytest.raises(NettrusionError, match="two kinds of data"):
        experiment.compete(alone, runners, config, silent)


def test_what_was_finished_is_not_fitted_again(tmp_path):
    config, prepared = two_kinds()
    first, second = Spy(), Spy()
    plain = quick("logistic regression")
    whole = experiment.compete(prepared, [first, plain], config, silent)
    store = Store(tmp_path, prepared.course)
    half = experiment.plan(prepared, [first], config)[:2]
    for job in half:
        fitted = job.candidate.fit(prepared.course.lesson(job.split), job.seed)
        store.put(job, trials.ask(fitted, prepared.course, job.asked, elsewhere=job.elsewhere))
    said: list[str] = []
    again = experiment.compete(prepared, [second, plain], config, said.append, store)
    assert len(second.shown) == len(experiment.plan(prepared, [second], config)) - 2
    assert any("2 of" in line and "finished before" in line for line in said)
    assert again.matrix == whole.matrix
    assert again.choice == whole.choice
    third = Spy()
    experiment.compete(prepared, [third, plain], config, silent, Store(tmp_path, prepared.course))
    assert third.shown == []


def test_what_another_process_has_begun_is_left_to_it(tmp_path):
    config, prepared = prepare()
    spy = Spy()
    jobs = experiment.plan(prepared, [spy], config)
    store, other = Store(tmp_path, prepared.course), Store(tmp_path, prepared.course)
    claimed = other.claim(jobs[0], wait=False)
    assert claimed.__enter__()

    def finish_it(text: str) -> None:
        """The other process is done with the first when we begin the last."""
        if text.startswith(f"{len(jobs) - 1}/"):
            fitted = Spy().fit(prepared.course.lesson(jobs[0].split), 0)
            other.put(jobs[0], trials.ask(fitted, prepared.course, jobs[0].asked, elsewhere=True))
            claimed.__exit__(None, None, None)

    done, _ = experiment.fit_all(jobs, prepared, finish_it, store, None)
    assert set(done) == {job.place for job in jobs}
    assert len(spy.shown) == len(jobs) - 1


@pytest.mark.parametrize("name", ["dense", "logistic regression"])
def test_a_detector_that_was_not_kept_is_fitted_again_and_has_to_say_the_same(name, tmp_path):
    config, prepared = prepare()
    config = replace(config, models=replace(config.models, families=False))
    runners = [quick(name)]
    store = Store(tmp_path, prepared.course)
    experiment.compete(prepared, runners, config, silent, store)
    trial = experiment.compete(prepared, runners, config, silent, store).same_day[name][0]
    with pytest.raises(ValueError, match="answers alone"):
        trial.fitted  # noqa: B018
    assert experiment.revive(trial, prepared, runners, silent).fitted.network is not None
    other = replace(trial, answers=replace(trial.answers, score=trial.answers.score + 1e-9))
    with pytest.raises(NettrusionError, match="--fresh"):
        experiment.revive(other, prepared, runners, silent)


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
    prepared = experiment.prepare(config, silent, Cache(tmp_path / "cache", silent))
    assert len(prepared.table) == 80
    units = [feature.unit for feature in prepared.feature_set.features]
    assert all(units[column] == "us" for column in prepared.course.times)
    assert all(units[column].endswith("/s") for column in prepared.course.rates)
    wrong = replace(config, data=replace(config.data, exclude=("nonsense",)))
    with pytest.raises(NettrusionError, match="nonsense"):
        experiment.prepare(wrong, silent, Cache(tmp_path / "cache", silent))


def test_a_split_is_by_time_or_by_day_or_mixed():
    _, prepared = prepare()
    assert experiment.divide(prepared.table, SplitConfig()).column == "later the same day"
    with pytest.raises(NettrusionError, match="train_days"):
        experiment.divide(prepared.table, SplitConfig(by="day"))
    _, prepared = two_kinds()
    assert prepared.split.column == "mixed sources"
    assert prepared.kinds == {"testbed": ("mon", "thu", "tue"), "cicids2017": ("cicids2017",)}


def test_captures_without_labels_are_refused(tmp_path):
    made.write_csv(tmp_path / "a.csv", [made.row(n, "BENIGN", Src_IP=f"10.0.{n}.1") for n in range(9)])
    config = TrainConfig(data=DataConfig(folders=(str(tmp_path),)), transfer=TransferConfig(captures="somewhere"))
    with pytest.raises(NettrusionError, match="--labels"):
        experiment.captures(config, made.feature_set(), silent, Cache(tmp_path / "cache", silent))
