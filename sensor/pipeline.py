"""The one place that knows every noun: packets -> flows -> features -> scores -> alerts -> sinks.

    pipeline = Pipeline.assemble(config, sink)
    pipeline.run(open_capture("a.pcap"))
    pipeline.run(open_capture("b.pcap.gz"))
    pipeline.finish()
    pipeline.tally                          # what was counted

Captures are independent of each other: all flows of one end with it, and the next begins its own time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from sensor.assembly import Assembly, profile
from sensor.config import Config
from sensor.detector import Detector
from sensor.eve import Reading
from sensor.flows import FlowEngine
from sensor.flows.profile import SECOND_NS
from sensor.rulebook import Rulebook
from sensor.scoring import Kind, Place, Scoring, Watch, load_detector, load_rulebook
from sensor.sinks import Sink
from sensor.sources import Source

BATCH_FLOWS: Final = 1024
"""Finished flows are scored when this many wait: the network's own batch, and little memory."""

Progress = Callable[[Source], None]


@dataclass(slots=True)
class Tally:
    """What a pipeline counted over all of its captures.

    Attributes:
        counters: the engine's counts by name (`sensor.flows.COUNTERS`).
        alerts: alert events written, one for each incident as far as its rule is concerned.
        updates: alert events that say how many flows an earlier alert stood for in the end.
        captures: captures read to their end.
        faults: for each capture that ends early or is damaged, a sentence.
        above: flow records whose score reached the threshold, whatever the rules made of them.
    """

    counters: Mapping[str, int] = field(default_factory=dict)
    alerts: int = 0
    updates: int = 0
    captures: int = 0
    faults: list[str] = field(default_factory=list)
    above: int = 0


class Pipeline:
    """Everything between a source and a sink, for one or many captures."""

    def __init__(self, config: Config, detector: Detector, rulebook: Rulebook, sink: Sink) -> None:
        """Join the parts; `assemble` makes them from a configuration. The sink stays the caller's."""
        self.config = config
        self.sink = sink
        self.stats_sink = sink
        self.scoring = Scoring(config, detector, rulebook, self._write)
        self.tally = Tally()
        self._engine = FlowEngine(profile(config.flows), max_flows=config.flows.max_flows)
        self._place = Place()
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._stats_ns: int | None = None

    @classmethod
    def assemble(cls, config: Config, sink: Sink) -> Self:
        """Load the model and the rules that a configuration names and join them.

        Raises NettrusionError for a model that is refused and for rules that cannot be honoured.
        """
        return cls(config, load_detector(config), load_rulebook(config), sink)

    @property
    def on_alerts(self) -> Watch | None:
        """Who is handed the alert events as they are written."""
        return self.scoring.on_alerts

    @on_alerts.setter
    def on_alerts(self, watch: Watch | None) -> None:
        self.scoring.on_alerts = watch

    def run(self, source: Source, progress: Progress | None = None) -> None:
        """Read a capture to its end; every flow of it is scored, judged and written.

        What the capture lacks at its end, or where it is damaged, is a sentence in `tally.faults`.
        Raises NettrusionError when it is no capture at all; nothing was counted then.
        """
        self._place = Place(in_iface=source.in_iface, pcap_filename=None if source.in_iface else source.name)
        assembly = Assembly(source, self._engine)
        windows = 0
        while assembly.step():
            if self._engine.pending >= BATCH_FLOWS:
                self._score()
            if assembly.windows > windows:
                windows = assembly.windows
                self._report(self._engine.now_ns)
                if progress is not None:
                    progress(source)
        self.tally.faults += assembly.faults
        now_ns = self._engine.now_ns
        while self._engine.drain():
            self._score()
        self._score()
        self.scoring.close_incidents()
        self._report(now_ns)
        self.tally.captures += 1

    def finish(self) -> None:
        """Write the closing `stats` event, if anything was read and the configuration wants it."""
        if self._last_ns is not None and self.config.stats.enabled:
            self._write_stats(self._last_ns)
        self.sink.flush()

    def _write(self, kind: Kind, lines: Sequence[bytes]) -> None:
        (self.stats_sink if kind == "stats" else self.sink).write(lines)

    def _score(self) -> None:
        """Score, judge and write the flows that have ended."""
        flows = self._engine.take()
        if not len(flows):
            return
        start_ns = int(flows["start_ns"].min())
        self._first_ns = start_ns if self._first_ns is None else min(start_ns, self._first_ns)
        self.scoring.score(flows, self._place)

    def _report(self, now_ns: int) -> None:
        """Take the counts over, and write the anomalies and stats that are due."""
        counters, said = self._engine.counters, self.scoring.said
        self.tally.counters = counters
        self.tally.alerts, self.tally.updates, self.tally.above = said.alerts, said.updates, said.above
        if not counters["packets"]:
            return
        self.scoring.write_anomalies(counters, now_ns, self._place)
        self._last_ns = now_ns
        if self._stats_ns is None or now_ns < self._stats_ns:
            self._stats_ns = now_ns
        interval_ns = self.config.stats.interval_s * SECOND_NS
        if interval_ns and self.config.stats.enabled and now_ns - self._stats_ns >= interval_ns:
            self._write_stats(now_ns)

    def _write_stats(self, now_ns: int) -> None:
        self._stats_ns = now_ns
        begun_ns = now_ns if self._first_ns is None else self._first_ns
        reading = Reading(
            now_ns=now_ns,
            counters=self._engine.counters,
            uptime_s=max(0, now_ns - begun_ns) // SECOND_NS,
            active_flows=self._engine.live,
            alerts=self.tally.alerts + self.tally.updates,
            memory_bytes=self._engine.memory_bytes,
        )
        self.scoring.write_stats(reading, self._place)
