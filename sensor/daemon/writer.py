"""The writer: the one thread that scores flows, judges them and hands events to the outputs."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.config import Config
from sensor.daemon.waiting import Batch, Waiting
from sensor.detector import Detector
from sensor.flows import FLOW_DTYPE
from sensor.flows.profile import SECOND_NS
from sensor.metrics import Latency
from sensor.rulebook import Rulebook
from sensor.scoring import Place, Scoring

log = logging.getLogger(__name__)

TURN_S = 0.25
SCORED_AT_ONCE = 2048
"""Flows that are scored between two looks at the queue: some milliseconds, at most some tens of them."""

FELL_BACK_NS = 10 * SECOND_NS
"""When no source's clock is as far as the flows that were judged, less this, clocks were set back."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a reload has loaded and checked, to be put in force between two batches."""

    config: Config
    detector: Detector
    rulebook: Rulebook
    done: threading.Event


class Writer(threading.Thread):
    """Scores what waits until it is told that nothing more will come.

    Attributes:
        scoring: detector and rules in force.
        beat_s: monotonic time of its last turn.
        error: what ended it, None while all is well.
        score_latency: seconds to extract, score and judge one flow.
        detect_latency: seconds from a told flow's last packet to its alert's way into the outputs.
    """

    def __init__(self, scoring: Scoring, waiting: Waiting, clocks_ns: Callable[[], Sequence[int]]) -> None:
        """Score with `scoring` what waits; `clocks_ns` tells how far packet time has gone at each source."""
        super().__init__(name="writer", daemon=True)
        self.scoring = scoring
        self.beat_s = time.monotonic()
        self.error: BaseException | None = None
        self.score_latency = Latency()
        self.detect_latency = Latency()
        self.on_turn: Callable[[], None] | None = None
        self._waiting = waiting
        self._clocks_ns = clocks_ns
        self._handing = threading.Lock()
        self._fresh: Fresh | None = None
        self._last = threading.Event()
        self._latest_ns = 0
        scoring.on_told = self._observe

    def run(self) -> None:
        """Take turns until the end."""
        try:
            while not (self._last.is_set() and not len(self._waiting)):
                self.turn(TURN_S)
            self.scoring.close_incidents()
        except BaseException as error:
            self.error = error

    def finish(self) -> None:
        """Say that no more flows will come: score what waits, end the incidents, and leave."""
        self._last.set()

    def put_in_force(self, config: Config, detector: Detector, rulebook: Rulebook, timeout_s: float = 30.0) -> bool:
        """Hand a checked detector and rulebook over; True once they judge, False when they never will."""
        fresh = Fresh(config, detector, rulebook, threading.Event())
        with self._handing:
            self._fresh = fresh
        if fresh.done.wait(timeout_s):
            return True
        with self._handing:
            if self._fresh is fresh:
                self._fresh = None
                return False
        return fresh.done.wait(timeout_s)  # it was being put in force just then

    def turn(self, timeout_s: float) -> None:
        """Score what waits, or wait for something to score."""
        batches = self._waiting.take(timeout_s)
        self.beat_s = time.monotonic()
        self._begin_anew_if_set_back(self._clocks_ns())
        for place, flows in together(batches):
            for at in range(0, len(flows), SCORED_AT_ONCE):
                self._score(flows[at : at + SCORED_AT_ONCE], place)
                self.beat_s = time.monotonic()
        self._pass_time(self._clocks_ns())
        self._exchange()
        if self.on_turn is not None:
            self.on_turn()

    def _begin_anew_if_set_back(self, clocks_ns: Sequence[int]) -> None:
        """End the incidents when the clocks were set back.

        They would take in, and not tell of, all that their sources do until time is there again.
        """
        if clocks_ns and self._latest_ns > max(clocks_ns) + FELL_BACK_NS:
            self.scoring.close_incidents()
            self._latest_ns = 0

    def _pass_time(self, clocks_ns: Sequence[int]) -> None:
        self._begin_anew_if_set_back(clocks_ns)  # flows that ended as they were may have been judged just now
        if clocks_ns:
            self._latest_ns = max(self._latest_ns, min(clocks_ns))
            self.scoring.tick(min(clocks_ns))

    def _score(self, flows: NDArray[np.void], place: Place) -> None:
        begun_s = time.perf_counter()
        self.scoring.score(flows, place)
        self._latest_ns = max(self._latest_ns, int(flows["end_ns"].max()))
        self.score_latency.observe((time.perf_counter() - begun_s) / len(flows), len(flows))

    def _exchange(self) -> None:
        with self._handing:
            fresh, self._fresh = self._fresh, None
        if fresh is not None:
            self.scoring.write_updates(fresh.rulebook.take_over(self.scoring.rulebook))
            self.scoring.put_in_force(fresh.config, fresh.detector, fresh.rulebook)
            fresh.done.set()

    def _observe(self, flows: NDArray[np.void], rows: Sequence[int]) -> None:
        now_ns = time.time_ns()
        for row in rows:
            self.detect_latency.observe(max(0, now_ns - int(flows["end_ns"][row])) / 1e9)


def together(batches: Sequence[Batch]) -> list[tuple[Place, NDArray[np.void]]]:
    """Return batches joined by where they were seen, in the order in which a place first comes."""
    joined: dict[Place, list[NDArray[np.void]]] = {}
    for batch in batches:
        joined.setdefault(batch.place, []).append(batch.flows)
    return [(place, _concatenated(parts)) for place, parts in joined.items()]


def _concatenated(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    """Return tables of flows as one, moved as bytes."""
    if len(parts) == 1:
        return parts[0]
    return np.frombuffer(bytearray().join(part.tobytes() for part in parts), dtype=FLOW_DTYPE)
