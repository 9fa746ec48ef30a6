"""Where events go: each kind of output is one module with one class, listed here.

A sink takes whole lines and writes each of them whole or not at all; what it had to drop, it
counts. It never raises for a full disk, so that a sensor outlives one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sensor.errors import NettrusionError
from sensor.sinks.file import FileSink
from sensor.sinks.stdout import StdoutSink

__all__ = ["SINKS", "FileSink", "Sink", "SinkOptions", "StdoutSink", "open_sink"]


class Sink(Protocol):
    """Takes lines and brings them to one place."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, each of which ends in its only newline; an empty sequence does nothing."""

    def flush(self) -> None:
        """Hand everything taken so far to the system."""

    def reopen(self) -> None:
        """Begin anew at the same place, as after logrotate has moved a file away."""

    def close(self) -> None:
        """Write what is still held back and let go; a second call does nothing."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What was written and what was dropped since the start."""


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """What a sink may be told; each kind takes what concerns it.

    Attributes:
        path: the file.
        mode: permission bits of a file that the sink makes.
        fresh: begin with an empty file; otherwise what is there is kept and appended to.
    """

    path: Path = Path("eve.json")
    mode: int = 0o640
    fresh: bool = False


SINKS: Mapping[str, Callable[[SinkOptions], Sink]] = {
    "file": lambda options: FileSink(options.path, mode=options.mode, fresh=options.fresh),
    "stdout": lambda options: StdoutSink(),
}


def open_sink(kind: str, options: SinkOptions | None = None) -> Sink:
    """Return an open sink of a kind.

    Raises:
        NettrusionError: there is no such kind, or the place cannot be opened.
    """
    if kind not in SINKS:
        raise NettrusionError(f"no sink is called {kind!r}; there are: {', '.join(sorted(SINKS))}")
    return SINKS[kind](options or SinkOptions())
