"""Where events go: each kind of output is one module with one class, listed here.

A sink takes whole lines and writes each of them whole or not at all; what it had to drop, it
counts. It never raises for a full disk, so that a sensor outlives one.

    outputs = Outputs.open(config)          # a queue and a thread for each output, as configured
    outputs.write("alert", lines)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from sensor.sinks.file import FileSink
from sensor.sinks.outputs import EventKind, Outputs
from sensor.sinks.queued import QueuedSink
from sensor.sinks.sink import Sink
from sensor.sinks.stdout import StdoutSink
from sensor.sinks.transport import Handover, Transport

__all__ = [
    "SINKS",
    "EventKind",
    "FileSink",
    "Handover",
    "Outputs",
    "QueuedSink",
    "Sink",
    "SinkOptions",
    "StdoutSink",
    "Transport",
    "open_sink",
]


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
    """Return an open sink of a kind that writes at once, without a queue.

    Raises:
        NettrusionError: there is no such kind, or the place cannot be opened.
    """
    if kind not in SINKS:
        raise NettrusionError(f"no sink is called {kind!r}; there are: {', '.join(sorted(SINKS))}")
    return SINKS[kind](options or SinkOptions())
