"""The highest rate at which nothing is lost, found by runs of some seconds each."""

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.endurance.traffic import widen
from benchmarks.wire.others import Others, Pace
from benchmarks.wire.programs import Counts, Program, Start, pinned, spent
from benchmarks.wire.sender import Sender
from tests.live.cable import laid

STEP = 1.1
"""Rates that are tried lie this factor apart."""
GALLOP = 3
AS_FAST_AS_IT_GOES = -1
LATE_S = 0.5
"""How far behind a program may be when the last packet has been sent; more, and only its ring has carried it."""
QUIET_S, IDLE_S, SETTLE_S = 0.2, 0.03, 12.0
LEAST = 1000.0
REPEATS = 3
TRIES = 3
DISTURBED, SLOWEST = 0.12, 1.6
"""CPUs that others may use during a run, and how slow the CPUs may be."""
PACE = Pace()


@dataclass(frozen=True, slots=True)
class Run:
    """One rate for some seconds, and what became of it.

    Attributes:
        asked: packets a second that were asked for; 0 for as many as go.
        rate: packets a second that were sent.
        sent: packets sent.
        sender_cpu_s: CPU seconds of the sender, which on this cable pays for the kernel's receiving side too.
        at_end: what the program said when the last packet was sent.
        last: what it said when it had become idle.
        late_s: how long after the last packet it was busy.
        cpu_s: its CPU seconds from the first packet until it was idle.
        rss_mb: its memory then.
        others_share: CPUs that other processes of the machine were given meanwhile.
        slowness: how much slower than at their best the CPUs were before or after.
    """

    asked: float
    rate: float
    sent: int
    sender_cpu_s: float
    at_end: Counts
    last: Counts
    late_s: float
    cpu_s: float
    rss_mb: float
    others_share: float
    slowness: float = 1.0

    @property
    def disturbed(self) -> bool:
        """Whether something else took so much of the machine that the run says little."""
        return self.others_share > DISTURBED or self.slowness > SLOWEST

    @property
    def seconds(self) -> float:
        """How long was sent."""
        return self.sent / self.rate

    @property
    def lost(self) -> bool:
        """Whether packets were dropped, or would have been had it gone on: the program fell behind."""
        if self.at_end.packets >= 0:
            behind = self.sent - self.at_end.packets > LATE_S * self.rate
        else:
            behind = self.late_s > LATE_S
        return self.last.drops != 0 or behind

    @property
    def shed(self) -> bool:
        """Whether flows were not scored, or had to wait long: more than the queue and the writer carry for a while."""
        return self.last.unscored > 0 or self.at_end.waiting > LATE_S * self.at_end.ended / self.seconds

    @property
    def whole(self) -> bool:
        """Whether the sender reached what was asked."""
        return self.rate > 0.97 * self.asked

    @property
    def flows_per_s(self) -> float:
        """Flows that were seen, a second."""
        return max(0, self.last.flows) / self.seconds

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds per million packets."""
        return self.cpu_s * 1e6 / max(1, self.sent - max(0, self.last.drops))


@dataclass(slots=True)
class Bench:
    """One program and one traffic on a division of the CPUs."""

    start: Start
    sender: Sender
    program_cpus: set[int]
    sender_cpus: set[int]
    seconds: float
    runs: dict[int, list[Run]] = field(default_factory=dict)
    told: Callable[[Run], None] = lambda run: None

    def run(self, rate: float, bad: Callable[[Run], bool]) -> Run:
        """Make a run on a quiet machine: wait for it, and do it again when it was disturbed and went badly."""
        for _ in range(TRIES):
            before = PACE.wait_until_quiet()
            made = self._run(rate)
            made = replace(made, slowness=max(before, PACE.slowness()))
            self.told(made)
            if not (made.disturbed and (bad(made) or not made.whole)):
                break
        return made

    def _run(self, rate: float) -> Run:
        """Start the program on a fresh cable, send, wait until it is idle, end it."""
        with laid() as cable, tempfile.TemporaryDirectory(prefix="nettrusion-wire-") as name:
            widen(cable)
            with pinned(self.program_cpus):
                program = self.start(cable, Path(name))
            try:
                before_s, _ = spent(program)
                others, begun_s = Others([os.getpid(), *program.processes()]), time.monotonic()
                with pinned(self.sender_cpus), cable.inside("far"):
                    sent = self.sender.send(cable.far_interface, rate, self.seconds)
                ended_s = time.monotonic()
                at_end = program.counts()
                late_s = self._settle(program, ended_s)
                cpu_s, rss_mb = spent(program)
                others_share = others.spent_s() / (time.monotonic() - begun_s)
            finally:
                last = program.end()
        return Run(
            asked=rate,
            rate=sent.rate,
            sent=sent.packets,
            sender_cpu_s=sent.cpu_s,
            at_end=at_end,
            last=last,
            late_s=late_s,
            cpu_s=cpu_s - before_s,
            rss_mb=rss_mb,
            others_share=others_share,
        )

    def _settle(self, program: Program, ended_s: float) -> float:
        """Wait until the program hardly works; return how long after the last packet it did."""
        busy_s, _ = spent(program)
        while (since_s := time.monotonic() - ended_s) < SETTLE_S:
            time.sleep(QUIET_S)
            now_s, _ = spent(program)
            if now_s - busy_s <= IDLE_S:
                return since_s
            busy_s = now_s
        return SETTLE_S

    def at(self, step: int, bad: Callable[[Run], bool]) -> Run:
        """Return the first run at a step of the scale, made if need be."""
        if step not in self.runs:
            self.runs[step] = [self.run(rate_of(step), bad)]
        return self.runs[step][0]

    def highest(self, hint: float, bad: Callable[[Run], bool]) -> tuple[list[Run], bool]:
        """Return three runs of three that are not bad, at the highest rate that has them.

        Returns:
            The runs, and whether the sender was their limit: it sent as fast as it could.

        Raises SystemExit when every rate is too high.
        """
        if self._holds(AS_FAST_AS_IT_GOES, bad):
            return self.runs[AS_FAST_AS_IT_GOES], True
        reached = max(run.rate for run in self.runs[AS_FAST_AS_IT_GOES])
        good, fails = None, step_of(reached) + 1
        step = min(step_of(hint), fails - 1)
        while good is None or fails - good > 1:
            if rate_of(step) < LEAST:
                raise SystemExit("every rate is too high")
            if self._fails(step, bad):
                fails = step
                step = step - GALLOP if good is None else (good + fails) // 2
            else:
                good = step
                step = min(step + GALLOP, (good + fails) // 2)
        while not self._holds(good, bad):
            good -= 1
        return self.runs[good], False

    def _fails(self, step: int, bad: Callable[[Run], bool]) -> bool:
        run = self.at(step, bad)
        return bad(run) or not run.whole

    def _holds(self, step: int, bad: Callable[[Run], bool]) -> bool:
        """Return whether three runs of three are not bad; the first bad one is enough."""
        runs = self.runs.setdefault(step, [])
        while not any(bad(run) for run in runs):
            if len(runs) >= REPEATS:
                return True
            runs.append(self.run(rate_of(step), bad))
        return False


def rate_of(step: int) -> float:
    """Return a rate of the scale, packets a second; 0 as fast as it goes."""
    return LEAST * STEP**step if step != AS_FAST_AS_IT_GOES else 0.0


def step_of(rate: float) -> int:
    """Return the step of the scale nearest to a rate."""
    return round(math.log(rate / LEAST, STEP))


def median(runs: list[Run], of: Callable[[Run], float]) -> float:
    """Return the median of something over runs."""
    return statistics.median(of(run) for run in runs)
