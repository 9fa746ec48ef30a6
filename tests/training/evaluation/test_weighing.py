"""Weighted areas and their intervals: against scikit-learn, and for what is known by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.evaluation.weighing import Side, alike, areas, mean_interval


def side(score, groups=None, weight=None):
    score = np.asarray(score, dtype=float)
    groups = np.arange(len(score)) if groups is None else np.asarray(groups)
    return Side(score, groups, np.ones(len(score)) if weight is None else np.asarray(weight, dtype=float))


def test_groups_count_alike():
    shares = alike(np.array([5, 5, 5, 9]), np.array([1.0, 1.0, 2.0, 7.0]))
    assert shares.tolist() == [0.25, 0.25, 0.5, 1.0]


def test_the_area_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    benign, attack = rng.integers(0, 9, 300) / 9, rng.integers(2, 11, 80) / 9
    weight = [rng.random(300), rng.random(80)]
    (found,) = areas(side(benign, weight=weight[0]), [side(attack, weight=weight[1])])
    truth = np.repeat([0, 1], [300, 80])
    expected = roc_auc_score(truth, np.concatenate([benign, attack]), sample_weight=np.concatenate(weight))
    assert found.value == pytest.approx(expected)
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_several_classes_are_judged_against_the_same_benign_flows():
    benign = side(np.linspace(0, 1, 50))
    low, high = areas(benign, [side(np.full(6, -1.0)), side(np.full(6, 2.0))])
    assert (low.value, high.value) == (0, 1)
    assert high.interval == (1, 1)


def test_intervals_redraw_groups_not_rows():
    rng = np.random.default_rng(0)
    benign = side(rng.random(400))
    groups = np.repeat(np.arange(8), 50)
    score = 0.5 + 0.4 * np.sin(groups)
    wide = areas(benign, [side(score, groups)])[0].interval
    narrow = areas(benign, [side(score)])[0].interval
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


def test_few_groups_have_no_interval():
    assert areas(side(np.arange(10)), [side(np.arange(9), np.repeat([1, 2, 3], 3))])[0].interval is None
    assert areas(side(np.arange(10), np.zeros(10)), [side(np.arange(9))])[0].interval is None
    assert mean_interval(np.ones(9), np.ones(9), np.arange(9) % 4) is None


def test_an_empty_side_has_no_area():
    assert np.isnan(areas(side(np.arange(10)), [side([])])[0].value)


def test_the_interval_of_a_mean_is_that_of_redrawn_groups():
    """The same as drawing the groups' numbers one by one, but for chance."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 10)
    value = (rng.random(400) < np.repeat(rng.random(40), 10)).astype(float)
    weight = rng.random(400)
    found = mean_interval(value, weight, groups, draws=4000)
    assert found is not None
    hit, size = np.bincount(groups, weights=value * weight), np.bincount(groups, weights=weight)
    picks = rng.integers(0, 40, (4000, 40))
    expected = np.percentile(hit[picks].sum(axis=1) / size[picks].sum(axis=1), [2.5, 97.5])
    assert list(found) == pytest.approx(expected.tolist(), abs=0.01)


def test_many_groups_that_are_alike_cost_little():
    many = 200_000
    found = mean_interval((np.arange(many) % 10 == 0).astype(float), np.ones(many), np.arange(many))
    assert found is not None
    low, high = found
    assert low == pytest.approx(0.1, abs=0.002)
    assert high == pytest.approx(0.1, abs=0.002)
