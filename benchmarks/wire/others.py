"""What else runs on the machine: a measurement waits until it is little, and says how much it was."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
KERNEL_THREADS: Final = 2
LOOK_S, QUIET_SHARE, WAIT_S = 0.4, 0.12, 60.0
LOOPS = 300_000
SLOWER = 1.3
"""How much slower than at its best a CPU may be: a virtual one shares its core with what nobody here sees."""


class Others:
    """CPU time of every process that is none of ours, from now on; the kernel's own threads are not counted."""

    def __init__(self, ours: Iterable[int]) -> None:
        """Begin to count; what `ours` start later must be over or be named here."""
        self._ours = frozenset(ours)
        self._before = self._ticks()

    def spent_s(self) -> float:
        """Return the CPU seconds spent so far by processes that are still there."""
        return TICK_S * sum(ticks - self._before.get(pid, 0) for pid, ticks in self._ticks().items())

    def _ticks(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) in self._ours:
                continue
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) != KERNEL_THREADS:
                found[int(folder.name)] = int(fields[11]) + int(fields[12])
        return found


class Pace:
    """How fast the CPUs are now, by the CPU seconds that one and the same loop takes."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.best_s = float("inf")

    def slowness(self) -> float:
        """Return how many times longer the slowest CPU takes than any has taken so far."""
        before, slowest_s = os.sched_getaffinity(0), 0.0
        try:
            for cpu in before:
                os.sched_setaffinity(0, {cpu})
                took_s = min(_loop() for _ in range(3))
                self.best_s, slowest_s = min(self.best_s, took_s), max(slowest_s, took_s)
        finally:
            os.sched_setaffinity(0, before)
        return slowest_s / self.best_s

    def wait_until_quiet(self) -> float:
        """Wait until others leave the CPUs alone and these are fast, a minute at most; return the slowness."""
        until_s = time.monotonic() + WAIT_S
        while True:
            others = Others([os.getpid()])
            time.sleep(LOOK_S)
            slowness = self.slowness()
            quiet = others.spent_s() <= QUIET_SHARE * LOOK_S and slowness <= SLOWER
            if quiet or time.monotonic() > until_s:
                return slowness


def _loop() -> float:
    begun_s, total = time.thread_time(), 0
    for number in range(LOOPS):
        total += number * number
    return time.thread_time() - begun_s
