"""The `stats` event: the engine's counters under the names that Suricata's schema has for them.

A counter without such a name is not in the event, because the schemas are closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sensor.eve.anomaly import ANOMALIES

# Place in `stats` -> engine counter.
_PLACES: Mapping[str, str] = {
    "decoder.pkts": "packets",
    "decoder.bytes": "bytes",
    "decoder.ipv4": "ipv4",
    "decoder.ipv6": "ipv6",
    "decoder.tcp": "tcp",
    "decoder.udp": "udp",
    "decoder.icmpv4": "icmpv4",
    "decoder.icmpv6": "icmpv6",
    "decoder.sctp": "sctp",
    "decoder.vlan": "vlan",
    "decoder.mpls": "mpls",
    "decoder.pppoe": "pppoe",
    "decoder.arp": "arp",
    "decoder.unknown_ethertype": "unsupported_ethertype",
    "flow.total": "flows",
    "flow.get_used": "evicted",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was counted up to a moment; every count since the start.

    Attributes:
        now_ns: packet time.
        counters: the engine's.
        uptime_s: seconds since the start.
        active_flows: flows in the table now.
        alerts: alerts written.
        kernel_packets: packets that the kernel gave to a live capture, None for a file.
        kernel_drops: packets that the kernel lost, None for a file.
        memory_bytes: size of the flow table, None where it is not known.

    A table that was ever full counts as one emergency; each flow that left early to make room is a
    flow "used" again.
    """

    now_ns: int
    counters: Mapping[str, int]
    uptime_s: int = 0
    active_flows: int = 0
    alerts: int = 0
    kernel_packets: int | None = None
    kernel_drops: int | None = None
    memory_bytes: int | None = None


def stats_object(reading: Reading) -> dict[str, Any]:
    """Return the `stats` object of a reading; what was never counted is left out."""
    counters = reading.counters
    packets, size = counters.get("packets", 0), counters.get("bytes", 0)
    values: dict[str, int | None] = {
        "uptime": reading.uptime_s,
        "capture.kernel_packets": reading.kernel_packets,
        "capture.kernel_drops": reading.kernel_drops,
        **{place: counters.get(name) for place, name in _PLACES.items()},
        "decoder.avg_pkt_size": size // packets if packets else 0,
        "decoder.invalid": sum(counters.get(reason, 0) for reason in ANOMALIES),
        "flow.active": reading.active_flows,
        "flow.memuse": reading.memory_bytes,
        "flow.emerg_mode_entered": int(counters.get("evicted", 0) > 0),
        "detect.alert": reading.alerts,
    }
    for reason, event in ANOMALIES.items():
        kind = event.removeprefix("decoder.")
        # The one event that belongs to no protocol is a counter of the decoder itself.
        place = f"decoder.event.{kind}" if "." in kind else f"decoder.{kind}"
        values[place] = counters.get(reason, 0)
    return _nested(values)


def _nested(values: Mapping[str, int | None]) -> dict[str, Any]:
    """Return values by dotted place as objects in objects, without those that are None."""
    root: dict[str, Any] = {}
    for place, value in values.items():
        if value is None:
            continue
        *path, name = place.split(".")
        inner = root
        for part in path:
            inner = inner.setdefault(part, {})
        inner[name] = value
    return root
