"""What is kept of a fit: found under the same settings alone, whole or not at all, nothing to be unpickled."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.runs import Spy, quick, two_kinds
from training import checkpoint, experiment
from training.checkpoint import Store, digest, recipe
from training.evaluation import trials
from training.models.dense import Dense


@pytest.fixture(scope="module")
def ground():
    config, prepared = two_kinds()
    return config, prepared, experiment.plan(prepared, [quick("logistic regression")], config)[0]


def kept(folder, prepared, job):
    """Fit a job, keep it, return store and answers."""
    store = Store(folder, prepared.course)
    fitted = job.candidate.fit(prepared.course.lesson(job.split), job.seed)
    answers = replace(trials.ask(fitted, prepared.course, job.asked), seconds=1.5, history={"loss": [0.5, 0.25]})
    store.put(job, answers)
    return store, answers


def test_what_is_kept_comes_back_bit_for_bit(ground, tmp_path):
    _, prepared, job = ground
    store, answers = kept(tmp_path, prepared, job)
    again = store.get(job)
    assert again is not None and again.same_words(answers)
    assert (again.seconds, again.history, again.classes) == (1.5, {"loss": [0.5, 0.25]}, answers.classes)
    assert again.preprocessing.to_json() == answers.preprocessing.to_json()
    assert [path.name for path in tmp_path.iterdir()] == [store.path(job).name]


def test_another_seed_split_setting_or_data_does_not_find_it(ground, tmp_path):
    _, prepared, job = ground
    store, _ = kept(tmp_path, prepared, job)
    others = [
        replace(job, seed=1),
        replace(job, split=replace(job.split, train=job.split.train[1:])),
        replace(job, asked=job.asked[1:]),
        replace(job, candidate=replace(job.candidate, plain=True)),
    ]
    assert [store.get(other) for other in others] == [None] * 4
    table = replace(prepared.table, features=prepared.table.features + np.float32(1))
    assert Store(tmp_path, replace(prepared.course, table=table)).get(job) is None
    assert Store(tmp_path, replace(prepared.course, excluded=("duration",))).get(job) is None
    assert store.damaged == []


def test_other_captures_concern_those_alone_that_are_asked_about_them(ground, tmp_path):
    _, prepared, job = ground
    kept(tmp_path, prepared, replace(job, elsewhere=False))
    other = Store(tmp_path, replace(prepared.course, elsewhere=prepared.table.features[:3]))
    assert other.get(replace(job, elsewhere=False)) is not None
    assert other.get(replace(job, elsewhere=True)) is None


@pytest.mark.parametrize("wrong", ["short", "flipped", "empty", "foreign"])
def test_a_damaged_file_is_noticed(ground, tmp_path, wrong):
    _, prepared, job = ground
    store, _ = kept(tmp_path, prepared, job)
    path = store.path(job)
    data = bytearray(path.read_bytes())
    if wrong == "flipped":
        data[len(data) // 2] ^= 1
    elif wrong == "foreign":
        data = bytearray(b"\x80\x04K\x01.")
    path.write_bytes(data[: len(data) // 2] if wrong == "short" else b"" if wrong == "empty" else data)
    assert store.get(job) is None
    assert store.damaged == [path.name]


def test_a_file_under_the_name_of_another_fit_is_noticed(ground, tmp_path):
    _, prepared, job = ground
    store, _ = kept(tmp_path, prepared, job)
    other = replace(job, seed=7)
    store.path(job).rename(store.path(other))
    assert store.get(other) is None
    assert store.damaged


def test_objects_are_never_unpickled(ground, tmp_path):
    _, prepared, job = ground
    store, _ = kept(tmp_path, prepared, job)
    with store.path(job).open("wb") as stream:
        np.savez(stream, said=np.array([{"a": object}], dtype=object))
    assert store.get(job) is None
    assert store.damaged


def test_a_fit_is_claimed_by_one_alone_and_the_lock_goes_with_its_holder(ground, tmp_path):
    _, prepared, job = ground
    one, other = (Store(tmp_path, prepared.course) for _ in range(2))
    with one.claim(job, wait=False) as ours:
        assert ours
        with other.claim(job, wait=False) as theirs:
            assert not theirs
        with other.claim(replace(job, seed=1), wait=False) as another:
            assert another
    with other.claim(job, wait=True) as theirs:
        assert theirs
    assert list(tmp_path.iterdir()) == []


def test_clearing_leaves_nothing(ground, tmp_path):
    _, prepared, job = ground
    store, _ = kept(tmp_path, prepared, job)
    store.clear()
    assert store.get(job) is None
    assert store.damaged == []


def test_a_recipe_is_class_and_settings():
    assert recipe(Dense(width=8)) != recipe(Dense(width=16))
    assert recipe(Dense(width=8)) == recipe(Dense(width=8))
    spy = Spy()
    before = recipe(spy)
    spy.shown.append(set())
    assert recipe(spy) == before


def test_a_digest_tells_shape_type_and_order():
    one = np.arange(4, dtype=np.int64)
    different = [digest([one]), digest([one.reshape(2, 2)]), digest([one.astype(np.int32)]), digest([one, one])]
    assert len(set(different)) == 4
    assert digest(["ab", "c"]) != digest(["a", "bc"])
    assert digest([np.empty(0)]) == digest([np.empty(0)])


def test_the_hash_of_code_is_of_all_below_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("x = 1")
    before = checkpoint.code([tmp_path])
    (tmp_path / "a" / "b.py").write_text("x = 2")
    assert checkpoint.code([tmp_path]) != before
