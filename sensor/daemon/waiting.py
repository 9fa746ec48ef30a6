"""Finished flows on their way from the workers to the writer: a bounded queue that sheds what matters least."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.flows import pick
from sensor.scoring import Place

WAIT_S = 1.0
SINGLES_SHARE = 0.75
"""How full the queue may be while flows of one packet are still taken."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Flows that one worker handed over: FLOW_DTYPE, shape (n,), and where it saw them."""

    flows: NDArray[np.void]
    place: Place


class Waiting:
    """A queue of finished flows with a limit. Many workers put, one writer takes.

    When scoring cannot keep up, packets must still be read. Flows of a single packet, which are what floods and
    scans are made of and of which the queue then holds thousands alike, are shed first; at the limit all are.

    Attributes:
        limit: how many flows may wait.
        shed: flows that were never scored because they did not fit.
        shed_singles: those of them that had one packet.
    """

    def __init__(self, limit: int) -> None:
        """Begin empty. Raises ValueError for a limit below 1."""
        if limit < 1:
            raise ValueError(f"at least one flow must be able to wait, not {limit}")
        self.limit = limit
        self.shed = 0
        self.shed_singles = 0
        self._batches: deque[Batch] = deque()
        self._flows = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """Return how many flows wait."""
        return self._flows

    def put(self, flows: NDArray[np.void], place: Place) -> None:
        """Queue flows without ever waiting; what does not fit is shed and counted."""
        with self._changed:
            flows = self._fitting(flows)
            if len(flows):
                self._batches.append(Batch(flows, place))
                self._flows += len(flows)
                self._changed.notify_all()

    def put_patiently(
        self, flows: NDArray[np.void], place: Place, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Queue flows of a source that can wait: for room, rather than shed; a closed queue takes none.

        `meanwhile` is called now and then: whoever waits for the writer is not stuck, whatever the writer is.
        """
        with self._changed:
            while not self._changed.wait_for(lambda: self._closed or self._flows < self.limit, WAIT_S):
                meanwhile()
            if self._closed:
                self.shed += len(flows)
                return
            self._batches.append(Batch(flows, place))
            self._flows += len(flows)
            self._changed.notify_all()

    def take(self, timeout_s: float) -> list[Batch]:
        """Return everything that waits, oldest first; wait up to a time for something to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._flows or self._closed, timeout_s)
            batches = list(self._batches)
            self._batches.clear()
            self._flows = 0
            self._changed.notify_all()
            return batches

    def close(self) -> None:
        """Take no more, and count what waits as shed: the time to score it is over."""
        with self._changed:
            self._closed = True
            self.shed += self._flows
            self._batches.clear()
            self._flows = 0
            self._changed.notify_all()

    def _fitting(self, flows: NDArray[np.void]) -> NDArray[np.void]:
        """Return those of some flows that there is room for, and count the others."""
        if self._flows + len(flows) <= self.limit * SINGLES_SHARE:
            return flows
        single = flows["fwd"]["pkts"] + flows["bwd"]["pkts"] == 1
        others = np.flatnonzero(~single)[: max(0, self.limit - self._flows)]
        self.shed += len(flows) - len(others)
        self.shed_singles += int(np.count_nonzero(single))
        return pick(flows, others)
