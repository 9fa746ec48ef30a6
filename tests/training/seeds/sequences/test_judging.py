"""Thresholds come from earlier normal flows, figures from later ones, apart for hosts that are new."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training.seeds.sequences import made
from training.seeds.sequences import judging
from training.seeds.sequences.judging import ALL, KNOWN, NEW


def test_parts_are_whole_hours_in_order_and_training_is_normal_alone():
    events = made.office(10)
    parts = judging.split(events, 0.8, 0.1)
    hours = events.hour - made.START
    assert (hours[parts.train].max(), set(hours[parts.calibration]), set(hours[parts.test])) == (7, {8}, {9})
    assert events.benign[parts.train].all()
    assert not events.benign[hours == 7].all()
    assert not (parts.train & (parts.calibration | parts.test)).any()


def test_hosts_held_out_are_in_neither_training_nor_calibration_but_in_the_test():
    events = made.office(10)
    parts = judging.split(events, held=0.25)
    new = set(events.source[parts.new].tolist())
    assert new == {3, 7, 50}
    for part in (parts.train, parts.calibration):
        assert not new & set(events.source[part].tolist())
    assert (parts.test & parts.new & events.benign).any()
    assert set(events.source[judging.split(events, held=0).new].tolist()) == {50}


@pytest.mark.parametrize(("hours", "train"), [(2, 0.5), (6, 0.5)])
def test_a_split_without_normal_flows_or_attacks_is_refused(hours, train):
    with pytest.raises(NettrusionError, match="--train"):
        judging.split(made.office(hours), train, 0.2)


def test_figures_are_those_of_the_score_by_kind_of_hosts():
    events = made.office(10)
    parts = judging.split(events, held=0)
    perfect = judging.judge(events, parts, (~events.benign).astype(float))
    assert [perfect[name].roc_auc for name in (ALL, KNOWN)] == [1, 1]
    assert perfect[NEW].roc_auc is None
    assert perfect[ALL].attacks == perfect[KNOWN].attacks + perfect[NEW].attacks == 90
    for rate in perfect[ALL].rates:
        assert (rate.recall, rate.false_positive_rate, rate.families) == (1, 0, {"scan": 1})
    hosts = judging.judge(events, parts, (events.source == 50).astype(float))
    assert hosts[ALL].rates[0].recall == 0.5
    assert (hosts[KNOWN].rates[0].recall, hosts[NEW].rates[0].recall) == (0, 1)


def test_thresholds_see_nothing_of_the_test():
    events = made.office(10)
    parts = judging.split(events)
    scores = np.random.default_rng(0).random(len(events))
    other = np.where(parts.test, scores + 5, scores)
    assert judging.judge(events, parts, other)[ALL].rates[1].false_positive_rate == 1
