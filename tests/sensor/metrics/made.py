"""Figures of a sensor that has seen a little of everything."""

from dataclasses import replace

from sensor.flows import COUNTERS
from sensor.metrics import Figures, Latency

RULEBOOK = (
    *("matched", "alerted", "grouped", "suppressed", "passed", "updated"),
    *("incidents", "incidents_evicted", "a_later_count"),
)
SINK = ("lines", "bytes", "dropped_lines", "failures", "queued_lines", "queued_bytes", "connected")


def latency(*seconds: float) -> Latency:
    made = Latency()
    for value in seconds:
        made.observe(value)
    return made


def figures(**changes) -> Figures:
    """Return figures in which the counter of place n of the engine stands at 1000 + n."""
    made = Figures(
        uptime_s=12.5,
        interfaces={
            "eth0": {"kernel_packets": 9, "kernel_drops": 2, "freezes": 1, "oversized": 3, "up": 1},
            "eth1": {"oversized": 0, "up": 0},
        },
        counters={name: 1000 + at for at, name in enumerate(COUNTERS)} | {"snapshots": 5},
        live_flows=7,
        max_flows=262144,
        memory_bytes=1 << 27,
        waiting_flows=4,
        flows_scored=90,
        flows_unscored=6,
        score_latency=latency(3e-5, 3e-5, 4e-4),
        detect_latency=latency(0.2, 6.0, 1e9),
        alerts={"scan": 3, "dos": 1},
        updates=2,
        rulebook=dict(zip(RULEBOOK, (20, 4, 10, 5, 1, 2, 3, 1, 77), strict=True)),
        sinks={"eve": dict(zip(SINK, (50, 5000, 1, 2, 3, 300, 1), strict=True)), "plain": {"lines": 1}},
        model=("first-light", "1", "ab" * 32),
        rules=9,
        reloads={"ok": 1, "failed": 0},
        started_at=1_700_000_000.5,
        loaded_at=1_700_000_100.0,
        drift={"score": 0.25, "features": 0.125, "worst": 0.5},
        drift_features={"flow_iat_min": 0.5},
    )
    return replace(made, **changes)
