"""All outputs at once: each takes the events that it was asked to."""

import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Self

from sensor.config import Config, SinkConfig
from sensor.errors import NettrusionError
from sensor.sinks.places import transport_for
from sensor.sinks.queued import QueuedSink
from sensor.sinks.sink import Sink

EventKind = Literal["alert", "anomaly", "flow", "stats"]
KINDS: tuple[EventKind, ...] = ("alert", "anomaly", "flow", "stats")


class Outputs:
    """Brings the events of a kind to every sink that takes them."""

    def __init__(self, sinks: Iterable[tuple[str, Sink, frozenset[EventKind]]]) -> None:
        """Take over open sinks.

        Args:
            sinks: of each its name, the sink, and the kinds of events that it takes.
        """
        listed = list(sinks)
        self._sinks = {name: sink for name, sink, _ in listed}
        self._takers = {kind: tuple(sink for _, sink, kinds in listed if kind in kinds) for kind in KINDS}

    @classmethod
    def open(cls, config: Config) -> Self:
        """Open what `[sinks]` names, each behind a queue of its own; without that, files as in `[output]`.

        A server that cannot be reached is no error: its events wait.

        Raises:
            NettrusionError: a file cannot be opened, a key or a package is missing; the message names the sink.
        """
        if config.sinks and config.stats.path:
            raise NettrusionError('stats.path: does not go with [sinks]; give one of them events = ["stats"]')
        tables = config.sinks or _files(config)
        host = config.sensor.name or socket.gethostname()
        opened: list[tuple[str, QueuedSink, frozenset[EventKind]]] = []
        try:
            for name, table in tables.items():
                opened.append((name, _queued(name, table, host), _kinds(table, config)))
        except NettrusionError:
            for _, queued, _ in opened:
                queued.close(0)
            raise
        return cls(opened)

    def write(self, kind: EventKind, lines: Sequence[bytes]) -> None:
        """Give lines of one kind to every sink that takes them."""
        for sink in self._takers[kind]:
            sink.write(lines)

    def wants(self, kind: EventKind) -> bool:
        """Say whether any sink takes events of a kind, so that others need not be made."""
        return bool(self._takers[kind])

    def flush(self) -> None:
        """Have every sink send what it holds back."""
        for sink in self._sinks.values():
            sink.flush()

    def reopen(self) -> None:
        """Have every sink begin anew at its place."""
        for sink in self._sinks.values():
            sink.reopen()

    def close(self, timeout_s: float = 10.0) -> None:
        """Send what still waits, all sinks at the same time and for so long at most."""
        end = time.monotonic() + timeout_s
        for sink in self._sinks.values():
            if isinstance(sink, QueuedSink):
                sink.finish(timeout_s)
        for sink in self._sinks.values():
            if isinstance(sink, QueuedSink):
                sink.close(max(0.0, end - time.monotonic()))
            else:
                sink.close()

    @property
    def counters(self) -> Mapping[str, Mapping[str, int]]:
        """What every sink counted, by its name."""
        return {name: sink.counters for name, sink in self._sinks.items()}


def _queued(name: str, table: SinkConfig, host: str) -> QueuedSink:
    try:
        transport = transport_for(table, host)
    except NettrusionError as error:
        raise NettrusionError(f"sinks.{name}: {error}") from error
    return QueuedSink(name, transport, queue_bytes=table.queue_mb << 20, hold_s=table.flush_ms / 1000)


def _files(config: Config) -> Mapping[str, SinkConfig]:
    """Return the sinks that `[output]` and `[stats]` amount to."""
    output, stats = config.output, config.stats
    kinds = ["alert", "anomaly", "flow"]
    apart = stats.path not in ("", output.path)
    if not apart:
        kinds.append("stats")
    tables = {"output": _file(output.path, tuple(kinds), output.mode)}
    if apart:
        tables["stats"] = _file(stats.path, ("stats",), output.mode)
    return tables


def _file(path: str, kinds: tuple[str, ...], mode: str) -> SinkConfig:
    if path == "-":
        return SinkConfig(type="stdout", events=kinds)
    return SinkConfig(type="file", events=kinds, path=path, mode=mode)


def _kinds(table: SinkConfig, config: Config) -> frozenset[EventKind]:
    """Return the kinds of events that a sink takes: those that it asks for and that are made at all."""
    made = {"flow": config.output.flow_events, "stats": config.stats.enabled}
    return frozenset(kind for kind in KINDS if kind in table.events and made.get(kind, True))
