"""Hours add up to days."""

import numpy as np

from sensor.fit.seen import Seen
from sensor.flows import Reason
from tests.sensor.fit.made import standard, traffic
from tests.sensor.fit.test_spread import drawn


def test_two_hours_joined_are_as_one():
    against = standard()
    rows = [traffic(drawn(1, 500), 0), traffic(drawn(2, 300), 1)]
    features = np.random.default_rng(1).random((800, 6)).astype(np.float32)
    whole = Seen(0)
    whole.add(np.concatenate(rows), features, against)
    first, second = Seen(0), Seen(5)
    first.add(rows[0], features[:500], against)
    second.add(rows[1], features[500:], against)
    first.join(second)
    assert (first.flows, first.looked, first.reaching) == (whole.flows, whole.looked, whole.reaching)
    assert np.array_equal(first.scores, whole.scores) and np.array_equal(first.points, whole.points)  # type: ignore[arg-type]
    assert first.period.days == whole.period.days


def test_snapshots_count_nowhere_and_loud_flows_not_among_the_features():
    rows = np.concatenate([traffic(np.array([1, 990_000])), traffic(np.array([5]), reason=Reason.SNAPSHOT)])
    seen = Seen(0)
    seen.add(rows, np.zeros((3, 6), np.float32), standard())
    assert (seen.flows, seen.looked, dict(seen.reaching)) == (2, 1, {"dos": 1})


def test_nothing_joined_changes_nothing():
    seen = Seen(0)
    seen.join(Seen(1))
    assert seen.scores is None and seen.points is None and seen.flows == 0
