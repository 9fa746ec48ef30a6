"""What several rules ask of a batch is worked out once."""

from dataclasses import dataclass, field

import numpy as np

from sensor.rulebook.batch import Batch
from tests.sensor.rulebook.table import F, scored


@dataclass(frozen=True)
class Counted:
    """A condition that notes when it is asked."""

    answer: tuple[bool, ...]
    asked: list[int] = field(default_factory=list, compare=False)

    def mask(self, batch):
        self.asked.append(len(batch.scored))
        return np.array(self.answer)


def test_a_condition_is_asked_once_and_not_after_the_last_flow_is_out():
    first, never, last = Counted((True, True, False)), Counted((False, False, False)), Counted((False, True, True))
    batch = Batch(scored([F(), F(), F()]), [first, never, last])
    together = batch.meets([0, 2])
    assert together is not None
    assert together.tolist() == [False, True, False]
    assert batch.meets([1, 2]) is None
    assert batch.meets([0, 1, 2]) is None
    assert [len(one.asked) for one in (first, never, last)] == [1, 1, 1]


def test_conditions_that_no_flow_meets_together_are_none():
    batch = Batch(scored([F(), F()]), [Counted((True, False)), Counted((False, True))])
    assert batch.meets([0, 1]) is None


def test_no_conditions_are_met_by_all():
    every = Batch(scored([F(), F()]), []).meets([])
    assert every is not None
    assert every.all()


def test_columns_are_whole_seconds_and_counts():
    batch = Batch(scored([F(age=1.999999, pkts=(7, 8), bytes=(9, 2**40))]), [])
    names = ("age", "pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient")
    assert [batch.column(name).tolist() for name in names] == [[1], [7], [8], [9], [2**40]]
    assert batch.column("age") is batch.column("age")
