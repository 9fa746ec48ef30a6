"""Which parts have stopped moving."""

import time
from dataclasses import dataclass

from sensor.daemon.beats import stuck


@dataclass
class Part:
    """A thread as far as its beats are concerned."""

    name: str
    beat_s: float
    alive: bool = True

    def is_alive(self) -> bool:
        return self.alive


def test_a_part_that_has_not_moved_for_too_long_is_named_with_its_seconds():
    now_s = time.monotonic()
    still = stuck([Part("writer", now_s - 60), Part("worker-0", now_s - 1)], 30)
    assert list(still) == ["writer"]
    assert 60 <= still["writer"] < 70


def test_a_part_that_has_ended_is_not_stuck():
    assert stuck([Part("worker-0", 0.0, alive=False)], 30) == {}
