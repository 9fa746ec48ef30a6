"""What the kernel says about a process while it runs."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process.

    Attributes:
        at_s: seconds since the first look.
        rss_kb: resident memory; the ring, which the kernel maps, is part of it.
        anonymous_kb: that part of it which is the process's own.
        cpu_s: CPU seconds since its start.
        threads: how many there are.
        files: how many are open.
    """

    at_s: float
    rss_kb: int
    anonymous_kb: int
    cpu_s: float
    threads: int
    files: int


def look(pid: int, at_s: float = 0.0) -> Sample:
    """Return a process's memory, CPU time, threads and open files now. Raises OSError when it is gone."""
    folder = Path("/proc", str(pid))
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Sample(
        at_s=at_s,
        rss_kb=int(status["VmRSS"].split()[0]),
        anonymous_kb=int(status["RssAnon"].split()[0]),
        cpu_s=(int(fields[11]) + int(fields[12])) * TICK_S,
        threads=int(status["Threads"]),
        files=len(list((folder / "fd").iterdir())),
    )


class Sampler(threading.Thread):
    """Looks at a process now and then until it is told to stop or the process is gone."""

    def __init__(self, pid: int, every_s: float, told: Callable[[Sample], None] | None = None) -> None:
        """Begin to look at once; `told` is given every sample as it is taken."""
        super().__init__(name="sampler", daemon=True)
        self.samples: list[Sample] = []
        self._pid = pid
        self._every_s = every_s
        self._told = told
        self._over = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look until it is over."""
        begun_s = time.monotonic()
        while True:
            at_s = time.monotonic() - begun_s
            try:
                sample = look(self._pid, at_s)
            except (OSError, KeyError):
                return
            self.samples.append(sample)
            if self._told is not None:
                self._told(sample)
            if self._over.wait(max(0.0, self._every_s * len(self.samples) - (time.monotonic() - begun_s))):
                return
