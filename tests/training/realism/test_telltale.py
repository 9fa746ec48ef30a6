"""The two-sample test finds what differs, nothing where nothing does, and never learns from what it asks about."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training.realism.made import NAMES, sample
from training.realism import telltale


def test_what_differs_is_found_and_named():
    told = telltale.tell(sample(seed=1), sample(seed=2, shift=2.0), NAMES, explained=True)
    assert told.auc > 0.85
    assert next(iter(told.by_feature)) == next(iter(told.alone)) == "f0"
    assert told.alone["f0"] > 0.85
    assert told.flows == (400, 400)
    assert told.clusters == (20, 20)


def test_an_excluded_feature_tells_nothing():
    told = telltale.tell(sample(seed=1), sample(seed=2, shift=2.0), NAMES, ("f0",), explained=True)
    assert told.auc < 0.6
    assert "f0" not in told.by_feature


def test_what_is_alike_is_not_told_apart():
    assert telltale.tell(sample(seed=1), sample(seed=2), NAMES).auc == pytest.approx(0.5, abs=0.08)


def test_a_mark_of_each_cluster_helps_nobody_who_is_asked_about_others():
    """Rows of a cluster are the same: folds that cut clusters would know them all by heart."""
    one, other = sample(seed=1), sample(seed=2)
    for side in (one, other):
        side.features[:] = side.features[:20][side.cluster]
    assert telltale.tell(one, other, NAMES).auc < 0.75


def test_both_sides_weigh_the_same_and_large_ones_are_drawn(monkeypatch):
    monkeypatch.setattr(telltale, "SIDE_FLOWS", 300)
    told = telltale.tell(sample(n=1000, seed=1), sample(n=100, seed=2, shift=2.0), NAMES)
    assert told.flows == (300, 100)
    assert told.auc > 0.8


def test_flows_of_little_weight_tell_little():
    one, other = sample(seed=1), sample(seed=2)
    other.features[::2, 0] += 4.0
    assert telltale.tell(one, other, NAMES).auc > 0.7
    other.weight[::2] = 1e-6
    assert telltale.tell(one, other, NAMES).auc < 0.6


def test_too_few_clusters_are_refused():
    with pytest.raises(NettrusionError, match="4 captures"):
        telltale.tell(sample(clusters=4), sample(), NAMES)


def test_halves_share_no_cluster():
    one, other = telltale.halves(sample(), 3)
    assert len(one) + len(other) == 400
    assert not set(np.unique(one.cluster)) & set(np.unique(other.cluster))
