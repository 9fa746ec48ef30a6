"""The one place that knows every noun: packets -> flows -> features -> scores -> alerts -> sinks.

    pipeline = Pipeline.assemble(config, sink)
    pipeline.run(open_capture("a.pcap"))
    pipeline.run(open_capture("b.pcap.gz"))
    pipeline.finish()
    pipeline.tally                          # what was counted

Captures are independent of each other: all flows of one end with it, and the next begins its own time.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sensor.config import Config, FlowsConfig
from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.eve import AnomalyLimiter, EventBuilder, Judgement, Reading, encode
from sensor.features import FeatureSet
from sensor.flows import PROFILES, FlowEngine, Framing, Profile
from sensor.flows.profile import SECOND_NS
from sensor.rulebook import Rulebook, ScoredFlows, Verdict, rule_variables
from sensor.sinks import Sink
from sensor.sources import Source

MODEL: Final = Path(__file__).parent / "data" / "model.onnx"
"""The bundle that comes with the sensor."""

BATCH_FLOWS: Final = 1024
"""Finished flows are scored when this many wait: the network's own batch, and little memory."""

Event = Mapping[str, Any]
Progress = Callable[[Source], None]
Watch = Callable[[Sequence[Event]], None]


@dataclass(slots=True)
class Tally:
    """What a pipeline counted over all of its captures.

    Attributes:
        counters: the engine's counts by name (`sensor.flows.COUNTERS`).
        alerts: alert events written, one for each incident as far as its rule is concerned.
        updates: alert events that say how many flows an earlier alert stood for in the end.
        captures: captures read to their end.
        faults: for each capture that ends early or is damaged, a sentence.
    """

    counters: Mapping[str, int] = field(default_factory=dict)
    alerts: int = 0
    updates: int = 0
    captures: int = 0
    faults: list[str] = field(default_factory=list)


class Pipeline:
    """Everything between a source and a sink, for one or many captures."""

    def __init__(self, config: Config, detector: Detector, rulebook: Rulebook, sink: Sink) -> None:
        """Join the parts; `assemble` makes them from a configuration. The sink stays the caller's."""
        self.config = config
        self.detector = detector
        self.rulebook = rulebook
        self.sink = sink
        self.stats_sink = sink
        self.on_alerts: Watch | None = None
        self.tally = Tally()
        self.threshold = threshold(config, detector)
        self._engine = FlowEngine(profile(config.flows), max_flows=config.flows.max_flows)
        self._events = EventBuilder(
            sensor=config.sensor.name or os.uname().nodename,
            model=f"{detector.meta.name} {detector.meta.version}",
            threshold=self.threshold,
        )
        self._anomalies = AnomalyLimiter()
        self._first_ns: int | None = None
        self._last_ns: int | None = None
        self._stats_ns: int | None = None

    @classmethod
    def assemble(cls, config: Config, sink: Sink) -> Self:
        """Load the model and the rules that a configuration names and join them.

        Raises NettrusionError for a model that is refused and for rules that cannot be honoured.
        """
        return cls(config, load_detector(config), load_rulebook(config), sink)

    def run(self, source: Source, progress: Progress | None = None) -> None:
        """Read a capture to its end; every flow of it is scored, judged and written.

        What the capture lacks at its end, or where it is damaged, is a sentence in `tally.faults`.
        Raises NettrusionError when it is no capture at all; nothing was counted then.
        """
        framing = _sniff(source)
        self._events = replace(self._events, pcap_filename=source.name)
        while not framing.corrupt:
            used = self._engine.feed(source.window, framing)
            source.advance(used)
            if self._engine.pending >= BATCH_FLOWS:
                self._score()
            if not used:
                self._report(self._engine.now_ns)
                if progress is not None:
                    progress(source)
                if not source.more():
                    break
        self._note_fault(source, framing)
        now_ns = self._engine.now_ns
        while self._engine.drain():
            self._score()
        self._score()
        self._write_updates(self.rulebook.close())
        self._report(now_ns)
        self.tally.captures += 1

    def finish(self) -> None:
        """Write the closing `stats` event, if anything was read and the configuration wants it."""
        if self._last_ns is not None and self.config.stats.enabled:
            self._write_stats(self._last_ns)
        self.sink.flush()

    def _score(self) -> None:
        """Score, judge and write the flows that have ended."""
        flows = self._engine.take()
        if not len(flows):
            return
        start_ns = int(flows["start_ns"].min())
        self._first_ns = start_ns if self._first_ns is None else min(start_ns, self._first_ns)
        meta = self.detector.meta
        features = self.detector.feature_set.extract(flows, meta.variant)
        scores = self.detector.score(features)
        judged = ScoredFlows(
            flows=flows,
            score_permille=np.rint(scores.score.astype(np.float64) * 1000).astype(np.int64),
            threshold_permille=round(self.threshold * 1000),
            above=scores.score >= np.float32(self.threshold),
            class_index=scores.class_index,
            class_names=meta.classes,
            budget_rank=self.detector.budget_rank(scores.score),
        )
        verdicts = self.rulebook.judge(judged)
        told = [verdict for verdict in verdicts if not verdict.update]
        rows = [verdict.row for verdict in told]
        judgements = [
            Judgement(
                verdict,
                float(scores.score[verdict.row]),
                self.detector.explain(features[verdict.row], contributions, self.config.output.features),
            )
            for verdict, contributions in zip(told, self._contributions(features[rows]), strict=True)
        ]
        self._write_alerts(judged, judgements)
        self._write_updates([verdict for verdict in verdicts if verdict.update])
        if self.config.output.flow_events:
            alerted: NDArray[np.bool_] = np.zeros(len(flows), dtype=bool)
            alerted[[judgement.verdict.row for judgement in judgements]] = True
            self.sink.write(self._events.flow_lines(judged, alerted))
        self.tally.alerts += len(judgements)

    def _contributions(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the features of the flows to be told of contributed, (n, k); nothing for none."""
        return self.detector.contributions(features) if len(features) else features

    def _write_alerts(self, judged: ScoredFlows, judgements: Sequence[Judgement]) -> None:
        if judgements:
            self._send_alerts(self._events.alerts(judged, judgements))

    def _send_alerts(self, alerts: Sequence[Event]) -> None:
        self.sink.write([encode(alert) for alert in alerts])
        if self.on_alerts is not None:
            self.on_alerts(alerts)

    def _write_updates(self, updates: Sequence[Verdict]) -> None:
        """Write the last word on incidents: the flow that was told of, and how many there were."""
        if updates:
            self._send_alerts(self._events.updates(updates))
            self.tally.updates += len(updates)

    def _report(self, now_ns: int) -> None:
        """Take the counters over, and write the anomalies and stats that are due."""
        counters = self._engine.counters
        self.tally.counters = counters
        if not counters["packets"]:
            return
        due = self._anomalies.due(counters, now_ns)
        self.sink.write([encode(self._events.anomaly(reason, now_ns)) for reason in due])
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
        self.stats_sink.write([encode(self._events.stats(reading))])

    def _note_fault(self, source: Source, framing: Framing) -> None:
        fault = source.fault
        if framing.corrupt:
            fault = "is damaged: no record can begin where the next one should"
        elif fault is None and len(source.window):
            fault = f"is cut short: it ends {len(source.window)} bytes into a record"
        if fault is not None:
            self.tally.faults.append(f"{source.name}: {fault}; its {framing.records} whole packets were read")


def _sniff(source: Source) -> Framing:
    try:
        return Framing.sniff(bytes(source.window[:4]))
    except ValueError as error:
        reason = source.fault or str(error)
        raise NettrusionError(f"{source.name}: {reason}; give a pcap or pcapng file") from error


def profile(flows: FlowsConfig) -> Profile:
    """Return the flow rules that a configuration asks for; the strict profiles have no settings."""
    chosen = PROFILES[flows.profile]
    if flows.profile != "wire":
        return chosen
    times = flows.timeouts
    return replace(
        chosen,
        vlan_in_key=flows.vlan_in_key,
        tunnels=flows.tunnels,
        tcp_new_ns=times.tcp_new_s * SECOND_NS,
        tcp_ns=times.tcp_s * SECOND_NS,
        linger_ns=times.linger_s * SECOND_NS,
        udp_new_ns=times.udp_new_s * SECOND_NS,
        udp_ns=times.udp_s * SECOND_NS,
        icmp_ns=times.icmp_s * SECOND_NS,
        other_ns=times.other_s * SECOND_NS,
        active_ns=times.active_s * SECOND_NS,
    )


def threshold(config: Config, detector: Detector) -> float:
    """Return the score, 0 to 1, from which on a flow may alert.

    A number from the configuration, the bundle's own, or the lowest calibrated score that at most
    `budget_per_million` of a million benign flows reach. A budget below what the calibration can tell
    gives the highest score that it has seen.
    """
    wanted = config.detector.threshold
    if isinstance(wanted, float):
        return wanted
    meta = detector.meta
    if wanted == "model":
        return meta.threshold
    share = config.detector.budget_per_million / 1e6
    within = [score for score, fraction in meta.calibration if fraction <= share]
    return min(within, default=meta.calibration[0][0])


def load_detector(config: Config) -> Detector:
    """Load the model that a configuration names, or the one that comes with the sensor."""
    path = Path(config.detector.model) if config.detector.model else MODEL
    signers = Path(config.detector.signers) if config.detector.signers else None
    sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    return Detector.load(path, sets, allowed_signers=signers)


def load_rulebook(config: Config) -> Rulebook:
    """Load the rules that a configuration names, or those that come with the sensor."""
    given = config.rules.directory
    folder = Path(given) if given else Path(str(files("rules")))
    return Rulebook.load(folder, rule_variables(config))
