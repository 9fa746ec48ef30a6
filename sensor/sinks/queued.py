"""A queue and a thread in front of a place that may be slow or gone."""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence

from sensor.sinks.backlog import BATCH_BYTES, Backlog
from sensor.sinks.transport import Handover, Transport

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0


def pause_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row, one or more: doubling, and never in step.

    The random half keeps a hundred sensors from returning to one server in the same instant.
    """
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20))
    return longest * random.uniform(0.5, 1.0)


class QueuedSink:
    """Keeps lines until its thread has handed them over, as many as its queue holds.

    `write` appends and returns: it never waits for the place and never raises. A line leaves the queue only when
    the place has it. When the queue is full the newest lines are dropped and counted. That a place is lost,
    that lines are, and that it is back is logged once each time.
    """

    def __init__(self, name: str, transport: Transport, *, queue_bytes: int = 16 << 20, hold_s: float = 0.0) -> None:
        """Start the thread, which connects at once.

        Args:
            name: the output's name in log messages.
            transport: what brings lines to the place.
            queue_bytes: how many bytes of lines may wait.
            hold_s: for how long lines may be held back to be sent together.
        """
        self._title = f"output {name} ({transport.place})"
        self._transport = transport
        self._backlog = Backlog(queue_bytes)
        self._hold_s = hold_s
        self._counts = {"lines": 0, "bytes": 0, "dropped_lines": 0, "failures": 0}
        self._connected = False
        self._failures_in_row = 0
        self._stuck = False
        # What the log was told, and has not been told to be over.
        self._in_trouble = self._told_overflow = self._told_refused = False
        self._told_dropped = 0
        # What others ask of the thread.
        self._asked = threading.Condition()
        self._reopening = self._flushing = self._overflown = False
        self._deadline: float | None = None
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)
        self._thread.start()

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines to the queue, as far as they fit; the others are dropped and counted."""
        if not lines:
            return
        was_empty, dropped = self._backlog.put(tuple(lines))
        if was_empty or (dropped and not self._overflown):
            with self._asked:
                self._overflown |= dropped
                self._asked.notify()

    def flush(self) -> None:
        """Send soon what is held back; does not wait for it."""
        self._ask("_flushing")

    def reopen(self) -> None:
        """Begin anew at the same place soon, with the password read again; does not wait for it."""
        self._ask("_reopening")

    def finish(self, timeout_s: float) -> None:
        """Have the thread end when nothing waits any more, or after so long; does not wait for it."""
        with self._asked:
            if self._deadline is None:
                self._deadline = time.monotonic() + timeout_s
            self._asked.notify()

    def close(self, timeout_s: float = 10.0) -> None:
        """Send what waits, for so long at most, drop and count the rest, and end the thread."""
        self.finish(timeout_s)
        self._thread.join(timeout_s + 1.0)
        with self._asked:
            self._abandoned = True
        left = self._backlog.close()
        if left:
            log.error("%s: %d events were still waiting at the end and are lost", self._title, left)

    @property
    def counters(self) -> Mapping[str, int]:
        """Lines, bytes, dropped lines and failures since the start; what waits now; whether connected."""
        counts = dict(self._counts)
        with self._backlog.lock:
            counts["dropped_lines"] += self._backlog.dropped
            counts["queued_lines"] = self._backlog.lines
            counts["queued_bytes"] = self._backlog.bytes
        counts["connected"] = int(self._connected and not self._stuck)
        return counts

    def _ask(self, wish: str) -> None:
        with self._asked:
            setattr(self, wish, True)
            self._asked.notify()

    # What follows runs in the thread.

    def _run(self) -> None:
        while self._has_work():
            self._tell_overflow()
            try:
                self._work()
            except OSError as error:
                self._fail(error.strerror or str(error) or type(error).__name__)
                self._connected = False
                self._pause()
            except Exception:
                # A client library may raise anything, and a dead thread would be a silent sink. Nothing is dropped:
                # the lines stay in the queue, the failure is counted and logged with its trace, and tried again.
                log.exception("%s: unexpected error", self._title)
                self._fail("unexpected error")
                self._connected = False
                self._pause()
        self._connected = False
        self._lose(self._transport.close())

    def _work(self) -> None:
        """Do what is asked for, connect if need be, and hand over one batch."""
        if self._reopening:
            self._reopening = False
            if self._connected:
                self._transport.reopen()
        if not self._connected:
            self._transport.connect()
            self._connected = True
        batch = self._backlog.batch()
        outcome = self._transport.send(batch) if batch else Handover()
        self._settle(batch, outcome)
        if len(outcome.rest) < len(batch):
            self._failures_in_row = 0
        self._connected = not outcome.broken
        self._stuck = bool(outcome.trouble)
        if outcome.trouble:
            self._fail(outcome.trouble)
            self._pause()
        elif not outcome.rest:
            self._recover()

    def _has_work(self) -> bool:
        """Wait until there is something to do; say whether there is, or the end has come."""
        with self._asked:
            while not self._abandoned:
                waiting = self._backlog.lines > 0
                if self._deadline is not None:
                    return waiting and time.monotonic() < self._deadline
                if self._reopening or not self._connected:
                    return True
                if waiting:
                    return self._held_back()
                self._flushing = False
                self._asked.wait()
        return False

    def _held_back(self) -> bool:
        """Wait for more lines to go with the first ones, unless there are enough; always true."""
        end = time.monotonic() + self._hold_s
        while (left_s := end - time.monotonic()) > 0:
            if self._flushing or self._reopening or self._deadline is not None or self._backlog.bytes >= BATCH_BYTES:
                break
            self._asked.wait(left_s)
        return True

    def _pause(self) -> None:
        """Wait after a failure; the end cuts it short, and so does a wish to begin anew."""
        self._failures_in_row += 1
        end = time.monotonic() + pause_s(self._failures_in_row)
        was_open = self._deadline is None
        while True:
            with self._asked:
                stop = self._abandoned or self._reopening or (was_open and self._deadline is not None)
                left_s = min(end, self._deadline or end) - time.monotonic()
                if stop or left_s <= 0:
                    return
                if self._told_overflow or not self._overflown:
                    self._asked.wait(left_s)
            self._tell_overflow()

    def _settle(self, batch: Sequence[bytes], outcome: Handover) -> None:
        """Keep what was left over and count the rest."""
        gone, gone_bytes = self._backlog.settle(batch, outcome.rest)
        self._counts["lines"] += gone - outcome.refused
        self._counts["bytes"] += gone_bytes - outcome.refused_bytes
        self._counts["dropped_lines"] += outcome.refused
        if outcome.refused and not self._told_refused:
            self._told_refused = True
            log.error("%s: events that are too long for it are dropped and counted", self._title)

    def _lose(self, lines: int) -> None:
        """Count lines as dropped that had been counted as handed over."""
        self._counts["lines"] -= lines
        self._counts["dropped_lines"] += lines

    def _fail(self, reason: str) -> None:
        self._counts["failures"] += 1
        if not self._in_trouble:
            self._in_trouble = True
            queue_mb = self._backlog.limit_bytes / (1 << 20)
            log.warning("%s: %s; up to %g MiB of events wait for it", self._title, reason, queue_mb)

    def _tell_overflow(self) -> None:
        if self._overflown and not self._told_overflow:
            self._told_overflow = True
            log.error("%s: its queue is full; new events are dropped and counted", self._title)

    def _recover(self) -> None:
        """Say that all is well again, once half of the queue is free."""
        if not (self._in_trouble or self._told_overflow) or self._backlog.bytes > self._backlog.limit_bytes // 2:
            return
        with self._asked:
            self._in_trouble = self._overflown = self._told_overflow = False
        dropped = self._backlog.dropped - self._told_dropped
        self._told_dropped += dropped
        log.warning("%s: takes events again; %d were dropped meanwhile", self._title, dropped)
