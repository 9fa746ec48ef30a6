"""Whether every part of the daemon still moves: what the watchdog is fed by."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol


class Beating(Protocol):
    """A thread that says when it last moved."""

    name: str
    beat_s: float

    def is_alive(self) -> bool:
        """Return whether it runs."""


def stuck(parts: Sequence[Beating], stall_s: float) -> Mapping[str, float]:
    """Return the running parts that have not moved for longer than `stall_s`, and for how many seconds."""
    now_s = time.monotonic()
    return {part.name: now_s - part.beat_s for part in parts if part.is_alive() and now_s - part.beat_s > stall_s}
