"""All flows are counted; those that score lowest go first when there are too many."""

import numpy as np

from sensor.calibrating.gathered import Gathered
from sensor.flows import Reason
from sensor.traffic import Batch
from tests.sensor.traffic.made import row


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


def test_nothing_gathered_has_no_rows():
    assert len(Gathered().rows()) == 0
