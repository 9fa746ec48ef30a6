"""The sensor's metrics by name: what each is called, what it means, and where its value stands in the figures.

Names follow Prometheus' conventions: one prefix, base units (seconds, bytes), `_total` on what only
grows. A value that the figures do not have gives no sample rather than a zero.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sensor.flows import SKIP_REASONS
from sensor.metrics.figures import Figures
from sensor.metrics.latency import Latency

Sample = tuple[tuple[str, ...], float]

SEEN: Final = (
    *("ipv4", "ipv6", "tcp", "udp", "icmpv4", "icmpv6", "sctp", "vlan", "mpls", "pppoe", "tunnel"),
    *("fragments", "cut_packets"),
)
"""Engine counts of packets by what they carry; a packet may be in several."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its samples, or its histogram, with the values of its labels."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    histogram: Latency | None = None


def families(figures: Figures) -> Iterator[Family]:
    """Yield every metric of a reading."""
    yield from _identity(figures)
    yield from _capture(figures)
    yield from _flows(figures)
    yield from _verdicts(figures)
    yield from _sinks(figures)
    yield _family(
        "gauge",
        "drift",
        "How far flows lie from the benign flows of training, 0 alike to 1 apart",
        "kind",
        figures.drift,
    )
    yield _family(
        "gauge",
        "drift_feature",
        "Distance of the features that lie farthest from training, 0 alike to 1 apart",
        "feature",
        figures.drift_features,
    )


def _identity(figures: Figures) -> Iterator[Family]:
    from sensor import __version__  # looked up in the installed metadata

    yield _info("build_info", "The sensor's version", {"version": __version__})
    name, version, sha256 = figures.model
    yield _info("model_info", "The model in force", {"name": name, "version": version, "sha256": sha256})
    yield _one("gauge", "rules", "Rules in force", figures.rules)
    yield _family(
        "counter", "reloads", "Reloads that went well, and that left the old in force", "result", figures.reloads
    )
    yield _one("gauge", "start_time_seconds", "Unix time of the sensor's start", figures.started_at)
    yield _one(
        "gauge", "loaded_time_seconds", "Unix time since when model and rules are in force", figures.loaded_at
    )


def _capture(figures: Figures) -> Iterator[Family]:
    yield from _columns(
        figures.interfaces,
        "interface",
        (
            ("gauge", "up", "interface_up", "Whether the interface is up"),
            ("counter", "kernel_packets", "kernel_packets", "Packets that the kernel gave to the capture"),
            ("counter", "kernel_drops", "kernel_drops", "Packets that the kernel lost because the ring was full"),
            ("counter", "freezes", "kernel_freezes", "Times that the ring was full"),
            ("counter", "oversized", "oversized_frames", "Frames larger than the MTU, which offloads make"),
        ),
    )
    counts = figures.counters
    yield _one("counter", "packets", "Packets read", counts.get("packets"))
    yield _one("counter", "bytes", "Bytes of these packets on the wire", counts.get("bytes"))
    yield _one("counter", "flow_packets", "Packets that became part of a flow", counts.get("in_flow"))
    yield _family(
        "counter",
        "skipped_packets",
        "Packets that became part of no flow",
        "reason",
        {reason: counts[reason] for reason in SKIP_REASONS if reason in counts},
    )
    yield _family(
        "counter",
        "seen_packets",
        "Packets by what they carry; one packet may count several times",
        "kind",
        {kind: counts[kind] for kind in SEEN if kind in counts},
    )


def _flows(figures: Figures) -> Iterator[Family]:
    counts = figures.counters
    yield _one("counter", "flows", "Flows that ended", counts.get("flows"))
    yield _one("counter", "flows_evicted", "Flows that ended early because the table was full", counts.get("evicted"))
    yield _one("counter", "single_packet_flows", "Flows of one packet", counts.get("single_packet_flows"))
    yield _one("counter", "snapshots", "Records of flows that were still open", counts.get("snapshots"))
    yield _one(
        "counter",
        "untracked_retransmissions",
        "TCP packets whose retransmission could not be told",
        counts.get("untracked_retransmissions"),
    )
    forgotten = counts.get("context_forgotten")
    yield _one("counter", "context_forgotten", "Hosts and pairs of hosts that made room for others", forgotten)
    yield _one("gauge", "open_flows", "Open flows", figures.live_flows)
    yield _one("gauge", "open_flows_limit", "How many flows may be open", figures.max_flows)
    yield _one("gauge", "flow_table_bytes", "Size of the flow tables", figures.memory_bytes)
    yield _one("gauge", "waiting_flows", "Ended flows that wait for their score", figures.waiting_flows)


def _verdicts(figures: Figures) -> Iterator[Family]:
    yield _one("counter", "flows_scored", "Flow records scored", figures.flows_scored)
    yield _one("counter", "flows_shed", "Flows not scored because too many waited", figures.flows_unscored)
    yield Family(
        "histogram",
        "nettrusion_score_duration_seconds",
        "Time to extract, score and judge a flow",
        histogram=figures.score_latency,
    )
    yield Family(
        "histogram",
        "nettrusion_detect_delay_seconds",
        "Time from the last packet of a flow to its alert on the way into the outputs",
        histogram=figures.detect_latency,
    )
    yield _family("counter", "alerts", "Alerts by the class that the model gave", "class", figures.alerts)
    yield _one("counter", "alert_updates", "Further events of incidents that were told before", figures.updates)
    rules = figures.rulebook
    outcomes = ("alerted", "grouped", "suppressed", "passed")
    yield _family(
        "counter",
        "rule_matches",
        "Pairs of a flow and a rule that it meets, by what became of it",
        "outcome",
        {outcome: rules[outcome] for outcome in outcomes if outcome in rules},
    )
    yield _one("gauge", "open_incidents", "Incidents that further flows may belong to", rules.get("incidents"))
    yield _one(
        "counter",
        "incidents_evicted",
        "Incidents that ended early because there were too many",
        rules.get("incidents_evicted"),
    )


def _sinks(figures: Figures) -> Iterator[Family]:
    yield from _columns(
        figures.sinks,
        "sink",
        (
            ("counter", "lines", "sink_lines", "Events written"),
            ("counter", "bytes", "sink_bytes", "Bytes written"),
            ("counter", "dropped_lines", "sink_dropped_lines", "Events lost because the output did not take them"),
            ("counter", "failures", "sink_failures", "Failed attempts to write or to connect"),
            ("gauge", "queued_lines", "sink_queued_lines", "Events that wait to be written"),
            ("gauge", "queued_bytes", "sink_queued_bytes", "Bytes that wait to be written"),
            ("gauge", "connected", "sink_connected", "Whether the output takes events"),
        ),
    )


def _columns(
    table: Mapping[str, Mapping[str, int]],
    label: str,
    columns: Iterable[tuple[Literal["counter", "gauge"], str, str, str]],
) -> Iterator[Family]:
    """Yield one metric for each column (kind, key, name, help) of a table of counts by name."""
    for kind, key, name, text in columns:
        yield _family(kind, name, text, label, {row: counts[key] for row, counts in table.items() if key in counts})


def _family(
    kind: Literal["counter", "gauge"], name: str, text: str, label: str, values: Mapping[Any, float]
) -> Family:
    samples = tuple(((str(key),), float(value)) for key, value in values.items())
    return Family(kind, _full(kind, name), text, (label,), samples)


def _one(kind: Literal["counter", "gauge"], name: str, text: str, value: float | None) -> Family:
    return Family(kind, _full(kind, name), text, samples=() if value is None else (((), float(value)),))


def _info(name: str, text: str, values: Mapping[str, str]) -> Family:
    return Family("gauge", _full("gauge", name), text, tuple(values), ((tuple(values.values()), 1.0),))


def _full(kind: str, name: str) -> str:
    return f"nettrusion_{name}_total" if kind == "counter" else f"nettrusion_{name}"
