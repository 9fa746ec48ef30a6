"""Nothing of a type left out is learnt from, and normal rows are held out by whole clusters."""

from dataclasses import dataclass

import numpy as np

from tests.training.seeds import connections
from training.datasets.benchmark import Benchmark
from training.seeds.nsl_kdd_choice import folds, recall


def test_types_left_out_are_not_learnt_and_every_type_is_left_out_once(tmp_path):
    train = connections.train(tmp_path)
    left_out, held_out = [], []
    for learnt, held, left in folds(train):
        assert not set(train.label[left]) & set(train.label[learnt])
        assert train.attack[left].all()
        assert train.benign[held].all()
        assert not set(held) & set(learnt)
        left_out += sorted(set(train.label[left]))
        held_out += held.tolist()
    assert sorted(left_out) == sorted(connections.TYPES)
    assert len(held_out) == len(set(held_out))


@dataclass(frozen=True)
class Knows:
    """A detector that remembers the types it was shown, and alerts on these alone."""

    name: str = "knows"
    labels: bool = True

    def fit(self, train: Benchmark, seed: int):
        known = set(train.label[train.attack])
        return lambda asked: np.isin(asked.label, list(known)).astype(float)


@dataclass(frozen=True)
class Cheats:
    """A detector that is told the answer."""

    name: str = "cheats"
    labels: bool = True

    def fit(self, train: Benchmark, seed: int):
        return lambda asked: asked.attack.astype(float)


def test_who_only_remembers_finds_nothing(tmp_path):
    train = connections.train(tmp_path)
    for mean in ("kinds", "rows"):
        assert {found[mean] for found in recall(train, Knows()).values()} == {0.0}
        assert {found[mean] for found in recall(train, Cheats()).values()} == {1.0}


@dataclass(frozen=True)
class OneType:
    """A detector that finds one type, of fewer rows than the others, and nothing else."""

    name: str = "one type"
    labels: bool = False

    def fit(self, train: Benchmark, seed: int):
        return lambda asked: (asked.label == "satan").astype(float)


def test_kinds_count_alike_or_by_their_rows(tmp_path):
    train = connections.train(tmp_path)
    fewer = train.rows(np.flatnonzero((train.label != "satan") | (np.cumsum(train.label == "satan") <= 5)))
    found = recall(fewer, OneType())["0.01"]
    assert found["probe"] == 1.0
    assert found["kinds"] == 1 / 3
    assert found["rows"] == 5 / (5 + 3 * 15)


def test_folds_repeat(tmp_path):
    train = connections.train(tmp_path)
    one, other = list(folds(train)), list(folds(train))
    assert all(
        np.array_equal(a, b)
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )
