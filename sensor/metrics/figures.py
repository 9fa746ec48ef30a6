"""What a running sensor knows about itself, in plain values; nothing here knows Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sensor.metrics.latency import Latency

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """One reading. Counts are since the start and never fall, except those marked: now.

    Attributes:
        uptime_s: seconds since the start.
        interfaces: by interface `kernel_packets`, `kernel_drops`, `freezes`, `oversized`, and `up`
            (now, 0 or 1); what an interface does not know is missing.
        counters: the engines' counts by name (`sensor.flows.COUNTERS`), added up.
        live_flows: open flows, now.
        max_flows: how many may be open.
        memory_bytes: size of the flow tables, now.
        waiting_flows: ended flows that wait for their score, now.
        flows_scored: flow records scored, snapshots among them.
        flows_unscored: flows that were shed because too many waited.
        score_latency: seconds to extract, score and judge a flow.
        detect_latency: seconds from a told flow's last packet to its alert's way into the outputs.
        alerts: alerts by the class that the detector gave.
        updates: further events of incidents that were told before.
        rulebook: what `Rulebook.counters` has.
        sinks: by output `lines`, `bytes`, `dropped_lines`, `failures`; now: `queued_lines`,
            `queued_bytes`, `connected` (0 or 1); what an output does not know is missing.
        model: name, version and SHA-256 of the bundle in force.
        rules: how many are in force.
        reloads: how many went well and how many left the old in force.
        started_at: Unix time in seconds.
        loaded_at: Unix time in seconds since when model and rules are in force.
        drift: distances 0 to 1 (`Drift.gauges`), now; empty before there is one.
        drift_features: the features that lie farthest away, by name (`Drift.worst`), now.
    """

    uptime_s: float
    interfaces: Mapping[str, Counts]
    counters: Counts
    live_flows: int
    max_flows: int
    memory_bytes: int
    waiting_flows: int
    flows_scored: int
    flows_unscored: int
    score_latency: Latency
    detect_latency: Latency
    alerts: Counts
    updates: int
    rulebook: Counts
    sinks: Mapping[str, Counts]
    model: tuple[str, str, str]
    rules: int
    reloads: Mapping[Literal["ok", "failed"], int] | Counts
    started_at: float
    loaded_at: float
    drift: Mapping[str, float] = field(default_factory=dict)
    drift_features: Mapping[str, float] = field(default_factory=dict)
