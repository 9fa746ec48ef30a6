"""All flows are counted; those that score lowest go first when there are too many."""

import numpy as np

from sensor.calibrating.gathered import Gathered
from sensor.flows import Reason
from sensor.rulebook.addresses import parse_addresses
from sensor.traffic import Batch
from tests.sensor.traffic.made import NOON_NS, row


def rows(scores):
    return np.concatenate([row(ppm, flow_id=at) for at, ppm in enumerate(scores)])


def gathered(scores, most=2_000_000, batch=10):
    made = Gathered(most)
    whole = rows(scores)
    for at in range(0, len(whole), batch):
        made.add(Batch(whole[at : at + batch]))
    return made


def test_snapshots_are_kept_and_are_no_flows():
    made = Gathered()
    made.add(Batch(np.concatenate([row(reason=Reason.SNAPSHOT), row(5)])))
    assert made.levels.flows == 1 and len(made.rows()) == 2


def test_the_highest_scores_stay_in_their_order():
    scores = np.random.default_rng(1).permutation(1000)
    made = gathered(scores, most=100)
    assert made.levels.flows == 1000
    kept = made.rows()["ppm"]
    assert 0 < len(kept) <= 100 and made.floor_ppm == kept.min()
    assert kept.tolist() == [score for score in scores if score >= made.floor_ppm]


def test_flows_that_score_alike_stay_or_go_together():
    made = gathered([500] * 150 + [900], most=100)
    assert made.floor_ppm == 501 and made.rows()["ppm"].tolist() == [900]


def test_addresses_left_out_count_nowhere_but_their_time_was_seen():
    made = Gathered(leave_out=parse_addresses("[10.9.0.0/16,2001:db8::7]", {}))
    others = [{"src": "10.9.1.1"}, {"dst": "10.9.2.2"}, {"src": "2001:db8::7", "dst": "2001:db8::8"}]
    late = NOON_NS + 7_200_000_000_000
    rows = [row(5), *(row(900_000, 1, 1, **fields) for fields in others), row(9, src="10.9.3.3", end_ns=late)]
    made.add(Batch(np.concatenate(rows)))
    assert (made.levels.flows, made.set_aside, made.rows()["ppm"].tolist()) == (1, 4, [5])
    assert made.period.last_ns == late


def test_nothing_gathered_has_no_rows():
    assert len(Gathered().rows()) == 0
