"""What a running daemon knows about itself: for metrics, `stats` events, the status line and the log."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sensor.config import Config
from sensor.daemon.waiting import Waiting
from sensor.daemon.worker import Worker
from sensor.daemon.writer import Writer
from sensor.eve import Reading
from sensor.metrics import Figures
from sensor.scoring import Place
from sensor.sinks import Outputs

STATS_S: Final = 60
"""Seconds between two `stats` events where the configuration names none."""
ANOMALIES_S: Final = 1.0


class Readings:
    """Reads every part's counts. Counts are read while they grow: each is right, together they are a moment apart."""

    def __init__(
        self, workers: Sequence[Worker], writer: Writer, waiting: Waiting, outputs: Outputs, config: Config
    ) -> None:
        """Read these parts; time runs from here on."""
        self.refused = ""
        self.reloads: Counter[str] = Counter(ok=0, failed=0)
        self.started_at = self.loaded_at = time.time()
        self._workers = workers
        self._writer = writer
        self._waiting = waiting
        self._outputs = outputs
        self._config = config
        self._begun_s = time.monotonic()
        interval_s = config.stats.interval_s or STATS_S
        self._interval_s = float(interval_s) if config.stats.enabled else float("inf")
        self._stats_s = self._begun_s + self._interval_s
        self._anomalies_s = self._begun_s

    def figures(self) -> Figures:
        """Return everything at once."""
        scoring, said = self._writer.scoring, self._writer.scoring.said
        meta = scoring.detector.meta
        return Figures(
            uptime_s=time.monotonic() - self._begun_s,
            interfaces=self.interfaces(),
            counters=self.counters(),
            live_flows=self.live(),
            max_flows=self._config.flows.max_flows,
            memory_bytes=sum(worker.assembly.engine.memory_bytes for worker in self._workers),
            waiting_flows=len(self._waiting),
            flows_scored=said.flows,
            flows_unscored=self._waiting.shed,
            score_latency=self._writer.score_latency,
            detect_latency=self._writer.detect_latency,
            alerts=dict(said.classes),
            updates=said.updates,
            rulebook=scoring.rulebook.counters,
            sinks=self._outputs.counters,
            model=(meta.name, meta.version, meta.sha256),
            rules=len(scoring.rulebook.rules),
            reloads=dict(self.reloads),
            started_at=self.started_at,
            loaded_at=self.loaded_at,
            drift=scoring.drift.gauges() if scoring.drift is not None else {},
            drift_features=dict(scoring.drift.worst()) if scoring.drift is not None else {},
        )

    def interfaces(self) -> dict[str, dict[str, int]]:
        """Return what the kernel counted by interface, its workers together."""
        found: dict[str, Counter[str]] = {}
        for worker in self._workers:
            counts = found.setdefault(worker.watches, Counter())
            counts.update(worker.assembly.source.counters)
            counts["oversized"] += worker.assembly.oversized
            counts["up"] = int(bool(counts.get("up", 1)) and getattr(worker.assembly.source, "up", True))
        return {name: dict(counts) for name, counts in found.items()}

    def counters(self) -> dict[str, int]:
        """Return the engines' counts, added up."""
        total: Counter[str] = Counter()
        for worker in self._workers:
            total.update(worker.assembly.engine.counters)
        return dict(total)

    def live(self) -> int:
        """Return how many flows are open."""
        return sum(worker.assembly.engine.live for worker in self._workers)

    def held(self) -> Mapping[str, int]:
        """Return what an abrupt end would cost now."""
        return {
            "live_flows": self.live(),
            "waiting_flows": len(self._waiting),
            "queued_lines": sum(sink.get("queued_lines", 0) for sink in self._outputs.counters.values()),
        }

    def lost(self) -> Mapping[str, int]:
        """Return what should not be lost and was, since the start, by the names of `losses.REMEDIES`."""
        return {
            "kernel_drops": self._kernel("kernel_drops"),
            "unscored": self._waiting.shed,
            "evicted": self.counters().get("evicted", 0),
            "oversized": sum(worker.assembly.oversized for worker in self._workers),
        }

    def write_due(self) -> None:
        """Write the anomalies and stats that are due; the writer's thread calls this."""
        now_s = time.monotonic()
        if now_s < self._anomalies_s:
            return
        self._anomalies_s = now_s + ANOMALIES_S
        now_ns = self._now_ns()
        if now_ns is None:
            return
        scoring = self._writer.scoring
        scoring.write_anomalies(self.counters(), now_ns, self._place())
        if now_s >= self._stats_s:
            self._stats_s = now_s + self._interval_s
            self._write_stats(now_ns)

    def write_last(self) -> None:
        """Write the closing `stats` event, when every other thread has ended."""
        if self._config.stats.enabled:
            self._write_stats(self._now_ns() or time.time_ns())

    def status(self) -> str:
        """Return one line for `systemctl status`."""
        counts, said = self.counters(), self._writer.scoring.said
        refused = f"reload refused: {self.refused}; " if self.refused else ""
        return refused + (
            f"{counts.get('packets', 0):,} packets, {self._kernel('kernel_drops'):,} lost by the kernel; "
            f"{said.flows:,} flows scored, {self.live():,} open; {said.alerts:,} alerts"
        )

    def in_force(self) -> str:
        """Return the model and the rules in force, in words."""
        scoring = self._writer.scoring
        meta = scoring.detector.meta
        return (
            f"model {meta.name} {meta.version} ({meta.sha256[:12]}),"
            f" threshold {scoring.threshold:.3f} ({scoring.basis}), {len(scoring.rulebook.rules)} rules"
        )

    def summary(self) -> str:
        """Return the run so far in some lines."""
        counts, said, queue = self.counters(), self._writer.scoring.said, self._waiting
        lines = [
            f"up {time.monotonic() - self._begun_s:,.0f} s, {self.in_force()}",
            f"packets {counts.get('packets', 0):,}, bytes {counts.get('bytes', 0):,}, "
            f"in flows {counts.get('in_flow', 0):,}, lost by the kernel {self._kernel('kernel_drops'):,}",
            f"flows {counts.get('flows', 0):,} ended, {self.live():,} open, {counts.get('evicted', 0):,} evicted; "
            f"{said.flows:,} scored ({said.snapshots:,} while open), {queue.shed:,} not scored, {len(queue):,} waiting",
            f"alerts {said.alerts:,}, updates {said.updates:,}"
            + "".join(f"; {name} {count:,}" for name, count in said.classes.most_common()),
        ]
        lines += [
            f"output {name}: " + ", ".join(f"{key} {count:,}" for key, count in counters.items())
            for name, counters in self._outputs.counters.items()
        ]
        return "\n".join(lines)

    def _write_stats(self, now_ns: int) -> None:
        scoring = self._writer.scoring
        reading = Reading(
            now_ns=now_ns,
            counters=self.counters(),
            uptime_s=int(time.monotonic() - self._begun_s),
            active_flows=self.live(),
            alerts=scoring.said.alerts + scoring.said.updates,
            memory_bytes=sum(worker.assembly.engine.memory_bytes for worker in self._workers),
            **self._captured(),
        )
        scoring.write_stats(reading, self._place())

    def _captured(self) -> dict[str, Any]:
        """Return what the kernel counted, nothing where no kernel did."""
        if not any(worker.assembly.source.counters for worker in self._workers):
            return {}
        return {name: self._kernel(name) for name in ("kernel_packets", "kernel_drops")}

    def _kernel(self, name: str) -> int:
        return sum(worker.assembly.source.counters.get(name, 0) for worker in self._workers)

    def _place(self) -> Place:
        """Return where counts are of: the interface when there is just one."""
        names = {worker.place.in_iface for worker in self._workers}
        return Place(in_iface=names.pop() if len(names) == 1 else None)

    def _now_ns(self) -> int | None:
        """Return the latest packet time of any worker, None before the first packet."""
        return max((worker.assembly.engine.now_ns for worker in self._workers), default=0) or None
