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
    assert {kinds["mean"] for kinds in recall(train, Knows()).values()} == {0.0}
    assert {kinds["mean"] for kinds in recall(train, Cheats()).values()} == {1.0}


def test_folds_repeat(tmp_path):
    train = connections.train(tmp_path)
    one, other = list(folds(train)), list(folds(train))
    assert all(
        np.array_equal(a, b)
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )
