"""A batch of some rows alone."""

from dataclasses import replace

import numpy as np

from tests.sensor.rulebook.table import F, scored


def test_rows_keep_all_that_is_theirs():
    flows = [F(score=score, rank=score, app=str(score), src=f"10.0.0.{score % 256}") for score in (1, 950, 3)]
    batch = scored(flows, knows_app=True)
    part = batch.take(np.array([2, 1]))
    assert len(part) == 2
    assert part.score_permille.tolist() == part.budget_rank.tolist() == [3, 950]
    assert part.above.tolist() == [False, True]
    assert part.app_proto == ("3", "950")
    assert (part.flows["src"] == batch.flows["src"][[2, 1]]).all()
    assert scored([F()]).take(np.array([0])).app_proto is None
    known = replace(batch, score_ppm=np.array([1, 2, 3]), model=7).take(np.array([2, 1]))
    assert known.score_ppm is not None and known.score_ppm.tolist() == [3, 2] and known.model == 7
