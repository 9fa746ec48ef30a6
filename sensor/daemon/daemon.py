"""The daemon's life: start, listen to signals, feed the watchdog, end in order."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sensor.assembly import profile
from sensor.config import Config, FlowsConfig
from sensor.daemon.beats import Beating, stuck
from sensor.daemon.losses import Losses
from sensor.daemon.reading import Readings
from sensor.daemon.reload import HomeNet, Loaded, load_again, private_networks
from sensor.daemon.requests import Request
from sensor.daemon.runstate import RunState
from sensor.daemon.waiting import Waiting
from sensor.daemon.worker import Worker
from sensor.daemon.writer import Writer
from sensor.errors import NettrusionError
from sensor.flows import FlowEngine
from sensor.metrics import Figures
from sensor.notify import Notifier
from sensor.scoring import Scoring
from sensor.sinks import Outputs
from sensor.sources import Source

log = logging.getLogger(__name__)

TURN_S: Final = 0.5
NOTE_S: Final = 1.0
STATUS_S: Final = 10.0
LOSSES_S: Final = 60.0
OUTPUTS_S: Final = 5.0
"""How long the outputs may take to write what they hold at the end, beyond `daemon.drain_s`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the configuration came from, to be read again.

    Attributes:
        path: the file, None for none.
        overrides: KEY=VALUE from the command line.
        home_net: what `auto` stands for on the interfaces of a configuration, asked anew at each reload.
    """

    path: Path | None = None
    overrides: tuple[str, ...] = ()
    home_net: HomeNet = private_networks


class Daemon:
    """Sources, workers, the writer and the outputs of one run."""

    def __init__(
        self, config: Config, origin: Origin, sources: Sequence[Source], scoring: Scoring, outputs: Outputs
    ) -> None:
        """Take over sources and outputs that are open; nothing runs yet."""
        self.config = config
        self.origin = origin
        self.outputs = outputs
        self.waiting = Waiting(config.daemon.waiting_flows)
        share = shared_out(config.flows, len(sources))
        self.workers = [
            Worker(source, FlowEngine(profile(share), max_flows=share.max_flows), self.waiting, number)
            for number, source in enumerate(sources)
        ]
        self.writer = Writer(scoring, self.waiting, self._clocks_ns)
        self.readings = Readings(self.workers, self.writer, self.waiting, outputs, config)
        self.writer.on_turn = self.readings.write_due
        self._said_stuck = False
        self._losses = Losses()
        self._noting: threading.Thread | None = None

    @property
    def figures(self) -> Figures:
        """What there is to say about the run now; any thread may ask."""
        return self.readings.figures()

    @property
    def healthy(self) -> bool:
        """Whether every part moves."""
        return not stuck([self.writer, *self.workers], self.config.daemon.stall_s)

    def run(self, notifier: Notifier, state: RunState, requests: Callable[[float], Request | None]) -> int:
        """Run until told to stop, or until every source is over.

        Args:
            notifier: the service manager.
            state: the note of what is held in memory.
            requests: returns what was asked within a time, None for nothing.

        Returns:
            The exit code: 0, or 1 when a part failed or something could not be written in time.
        """
        for thread in (self.writer, *self.workers):
            thread.start()
        notifier.ready(self.readings.status())
        next_note_s = next_status_s = 0.0
        next_losses_s = time.monotonic() + LOSSES_S
        try:
            while not self._over():
                request = requests(TURN_S)
                if request is Request.STOP:
                    break
                if request is Request.RELOAD:
                    self.reload(notifier)
                if request is Request.SUMMARY:
                    log.info("%s", self.readings.summary())
                now_s = time.monotonic()
                self._feed(notifier)
                if now_s >= next_note_s:
                    next_note_s = now_s + NOTE_S
                    self._note(state)
                if now_s >= next_status_s:
                    next_status_s = now_s + STATUS_S
                    notifier.status(self.readings.status())
                if now_s >= next_losses_s:
                    next_losses_s = now_s + LOSSES_S
                    self._tell_losses()
        finally:
            notifier.stopping(within_s=self.config.daemon.drain_s + OUTPUTS_S)
            code = self._end(notifier)
        if self._noting is not None:
            self._noting.join(NOTE_S)
        if code == 0:
            state.end()
        return code

    def reload(self, notifier: Notifier) -> bool:
        """Begin output files anew, and put model, rules and thresholds in force that are on disk now.

        All or nothing: whatever is wrong leaves the running ones in force, and is logged.
        """
        notifier.reloading()
        self.outputs.reopen()
        try:
            loaded = self._while_fed(self._load_again, notifier)
        except NettrusionError as error:
            return self._refuse(str(error), notifier)
        except Exception as error:  # whatever a file can do to a parser, the running parts are none the worse for it
            log.debug("reload", exc_info=error)
            return self._refuse(f"{type(error).__name__}: {error}", notifier)
        self.config = loaded.config
        self.readings.reloads["ok"] += 1
        self.readings.refused = ""
        self.readings.loaded_at = time.time()
        if loaded.ignored:
            log.warning("takes a restart: %s", ", ".join(loaded.ignored))
        log.info("reloaded: %s", self.readings.in_force())
        notifier.ready(self.readings.status())
        return True

    def _load_again(self) -> Loaded:
        """Load, try and put in force; raises NettrusionError when it is not."""
        loaded = load_again(self.config, self.origin.path, self.origin.overrides, self.origin.home_net)
        if not self.writer.put_in_force(loaded.config, loaded.detector, loaded.rulebook):
            raise NettrusionError("the writer did not take it over in time")
        return loaded

    def _while_fed(self, work: Callable[[], Loaded], notifier: Notifier) -> Loaded:
        """Do in another thread what may take longer than the watchdog waits; what it raises is raised here."""
        with ThreadPoolExecutor(1, "reload") as threads:
            doing = threads.submit(work)
            while wait([doing], TURN_S).not_done:
                self._feed(notifier)
            return doing.result()

    def _note(self, state: RunState) -> None:
        """Note what is held, in a thread that a stalled disk may keep; none is begun while one is kept."""
        if self._noting is None or not self._noting.is_alive():
            self._noting = threading.Thread(target=state.note, args=(self.readings.held(),), name="note", daemon=True)
            self._noting.start()

    def _tell_losses(self) -> None:
        for sentence in self._losses.since(self.readings.lost()):
            log.warning("%s", sentence)

    def _refuse(self, reason: str, notifier: Notifier) -> bool:
        """Say that a reload was refused, and keep saying so in the status until one is taken."""
        self.readings.reloads["failed"] += 1
        self.readings.refused = reason
        log.error("reload refused, the running model and rules stay in force: %s", reason)
        notifier.ready(self.readings.status())
        return False

    def _over(self) -> bool:
        """Whether there is nothing left to run for: a part failed, or every source is over."""
        return self.writer.error is not None or all(worker.over for worker in self.workers) or self._failed()

    def _failed(self) -> bool:
        return any(worker.error is not None for worker in self.workers)

    def _clocks_ns(self) -> list[int]:
        """Return the packet time of every worker that has had some."""
        clocks = [worker.assembly.engine.now_ns for worker in self.workers if not worker.over]
        return [clock for clock in clocks if clock > 0]

    def _feed(self, notifier: Notifier) -> None:
        """Feed the watchdog, unless a part of the pipeline is stuck."""
        parts: list[Beating] = [self.writer, *self.workers]
        still = stuck(parts, self.config.daemon.stall_s)
        if not still:
            self._said_stuck = False
            notifier.watchdog()
        elif not self._said_stuck:
            self._said_stuck = True
            for name, seconds in still.items():
                log.error("%s has not moved for %.0f s; the watchdog is no longer fed", name, seconds)

    def _end(self, notifier: Notifier) -> int:
        """Score and write what is open, within the bound; say what could not be."""
        until_s = time.monotonic() + self.config.daemon.drain_s
        shed = self.waiting.shed
        for worker in self.workers:
            worker.stop()
        if self.writer.error is not None:
            self.waiting.close()  # nobody takes anything any more, and who has more to put would wait for room
        for worker in self.workers:
            _join(worker, until_s, notifier)
        if all(worker.over for worker in self.workers):
            self.writer.finish()
            _join(self.writer, until_s, notifier)
        late = self.writer.is_alive() or not all(worker.over for worker in self.workers)
        if late:
            self.waiting.close()
            self.writer.finish()
            _join(self.writer, time.monotonic() + TURN_S * 2, notifier)
        self.readings.write_last()
        self.outputs.close(OUTPUTS_S)
        return self._verdict(self._unscored() - shed if late else 0, late=late)

    def _unscored(self) -> int:
        """Return how many flows are open or have ended and were not scored: shed, waiting, or in the writer's hands."""
        counts = self.readings.counters()
        return self.readings.live() + counts["flows"] + counts["snapshots"] - self.writer.scoring.said.flows

    def _verdict(self, left: int, *, late: bool) -> int:
        code = 0
        parts: tuple[Writer | Worker, ...] = (self.writer, *self.workers)
        for part in parts:
            if part.error is not None:
                code = 1
                log.error("%s failed: %s", part.name, part.error, exc_info=_unexpected(part.error))
        if late:
            bound_s = self.config.daemon.drain_s
            log.error("daemon.drain_s = %d s were not enough: about %d flows were not scored", bound_s, left)
            code = 1
        self._tell_losses()
        log.info("%s", self.readings.summary())
        return code


def _join(thread: Worker | Writer, until_s: float, notifier: Notifier) -> None:
    """Wait for a thread, feeding the watchdog: what must end is bounded by the time to end."""
    while thread.is_alive() and time.monotonic() < until_s:
        thread.join(min(TURN_S, max(0.0, until_s - time.monotonic())))
        notifier.watchdog()


def _unexpected(error: BaseException) -> BaseException | None:
    """Return an error whose trace is worth logging: an operator's error is a sentence."""
    return None if isinstance(error, NettrusionError) else error


def shared_out(flows: FlowsConfig, workers: int) -> FlowsConfig:
    """Return the settings of one of several engines, which share the flows that may be open."""
    return replace(flows, max_flows=max(64, flows.max_flows // max(1, workers)))
