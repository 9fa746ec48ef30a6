"""The engine's record of a flow, from its list of packets: every field of FLOW_DTYPE that says something of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from sensor.flows import FLOW_DTYPE
from tests.sensor.flows.reference import TCP, Flow, Packet
from tests.sensor.flows.reference_columns import bulks, periods
from tests.sensor.flows.reference_id import flow_id

Value = int | float | bytes | tuple[float, ...]
Record = dict[str, Value]
REASONS = {"fin": 1, "rst": 2, "idle": 3, "active": 4, "evicted": 5, "shutdown": 6, "reuse": 7, "snapshot": 8}
GAP_NS = 1_000_000_000
# Welford's running sum of squares and the exact one differ by rounding of the largest square.
ROUNDING = 1e-9
FIRST_PACKETS = 12
CONTEXT = FLOW_DTYPE["context"]
# The engine tells single precision; a variation near 0 is the root of what rounding left.
SINGLE, NEAR_0 = 1e-6, 1e-6


def moments(prefix: str, values: Sequence[int]) -> Record:
    """Count, mean, sum of squared deviations, minimum and maximum; all 0 when there is nothing."""
    if not values:
        return {f"{prefix}.{name}": 0 for name in ("n", "mean", "m2", "min", "max")}
    mean = statistics.mean(map(Fraction, values))
    return {
        f"{prefix}.n": len(values),
        f"{prefix}.mean": float(mean),
        f"{prefix}.m2": float(sum((value - mean) ** 2 for value in values)),
        f"{prefix}.min": min(values),
        f"{prefix}.max": max(values),
    }


def gaps(packets: Sequence[Packet]) -> list[int]:
    """Time between consecutive packets in arrival order, ns."""
    return [later.time_ns - packets[i].time_ns for i, later in enumerate(packets[1:])]


def record(flow: Flow) -> Record:
    """Return every field of one flow's record, nested ones under dotted names."""
    first = flow.packets[0]
    ahead = [p for p, forward in zip(flow.packets, flow.forward, strict=True) if forward]
    back = [p for p, forward in zip(flow.packets, flow.forward, strict=True) if not forward]
    windows = [p.window for p in back if flow.proto == TCP]
    active, idle = periods(flow)
    told: Record = {
        "start_ns": flow.start_ns,
        "end_ns": flow.last_ns,
        "conn_ns": flow.conn_ns,
        "src": flow.src.ljust(16, b"\0"),
        "dst": flow.dst.ljust(16, b"\0"),
        "src_port": flow.src_port,
        "dst_port": flow.dst_port,
        "proto": flow.proto,
        "ip_version": first.ip_version,
        "icmp_type": first.icmp_type,
        "icmp_code": first.icmp_code,
        "vlans": min(len(first.vlans), 2),
        "vlan": (*first.vlans, 0, 0)[:2],
        "reason": REASONS[flow.reason],
        "flow_id": flow_id(flow),
        "part": flow.part,
        "state": 2 if flow.closed else int(bool(ahead and back)),
        "first_backward": int(not flow.forward[0]),
        "first_flags": first.flags,
        "first_payload": first.payload_bytes,
        "fwd_flags": union(ahead),
        "bwd_flags": union(back),
        "fwd_init_win": first.window if flow.proto == TCP and flow.forward[0] else -1,
        "bwd_init_win": next((w for w in windows if w), 0) if windows else -1,
        "bwd_last_win": windows[-1] if windows else -1,
        "gaps_1s": sum(gap > GAP_NS for gap in gaps(flow.packets)),
    }
    told |= sequence(flow) | context(flow)
    told |= moments("iat", gaps(flow.packets))
    told |= moments("active", active) | moments("idle", idle)
    for name, packets in (("fwd", ahead), ("bwd", back)):
        told |= direction(name, packets)
        again = [forward for forward, seen in zip(flow.forward, flow.repeated, strict=True) if seen]
        told[f"{name}.retrans"] = again.count(name == "fwd")
        found = bulks(flow, name == "fwd")
        told[f"{name}.bulk_count"] = found.count
        told[f"{name}.bulk_pkts"] = found.pkts
        told[f"{name}.bulk_bytes"] = found.bytes
        told[f"{name}.bulk_ns"] = found.spent_ns
    return told


def sequence(flow: Flow) -> Record:
    """The first packets one by one: gap in whole microseconds, signed size, flags; 0 where there is none."""
    first = [0, *gaps(flow.packets)]
    signs = [1 if forward else -1 for forward in flow.forward]
    columns = {
        "seq_gap_us": [min(max(gap, 0) // 1000, 2**32 - 1) for gap in first],
        "seq_size": [sign * (p.payload_bytes + 1) for sign, p in zip(signs, flow.packets, strict=True)],
        "seq_flags": [p.flags for p in flow.packets],
    }
    return {name: (*values, *[0] * FIRST_PACKETS)[:FIRST_PACKETS] for name, values in columns.items()}


def context(flow: Flow) -> Record:
    """What the hosts were doing; zeros where nobody kept count."""
    told: Record = {}
    for name in CONTEXT.names or ():
        shape = CONTEXT[name].shape
        told[f"context.{name}"] = flow.context.get(name, (0.0,) * shape[0] if shape else 0.0)
    return told


def union(packets: Sequence[Packet]) -> int:
    """Every TCP flag that any of the packets had."""
    flags = 0
    for packet in packets:
        flags |= packet.flags
    return flags


def direction(name: str, packets: Sequence[Packet]) -> Record:
    """What the packets of one direction add up to, without its bulks."""
    sizes = [p.payload_bytes for p in packets]
    told: Record = {
        "pkts": len(packets),
        "bytes": sum(p.frame_bytes for p in packets),
        "ip_bytes": sum(p.ip_bytes for p in packets),
        "payload": sum(sizes),
        "payload_sq": sum(size * size for size in sizes),
        "payload_min": min(sizes, default=0),
        "payload_max": max(sizes, default=0),
        "header": sum(p.header_bytes for p in packets),
        "header_min": min((p.header_bytes for p in packets), default=0),
        "data_pkts": sum(size >= 1 for size in sizes),
        "first_ns": packets[0].time_ns if packets else 0,
        "last_ns": packets[-1].time_ns if packets else 0,
        "flags": tuple(sum(bool(p.flags & 1 << bit) for p in packets) for bit in range(8)),
    }
    told |= moments("iat", gaps(packets))
    return {f"{name}.{field}": value for field, value in told.items()}


def unlike(ours: Mapping[str, Value], theirs: Mapping[str, Value]) -> list[str]:
    """Name the fields in which two records differ; running sums may differ by rounding."""
    told = []
    for name, value in ours.items():
        other = theirs[name]
        if name.startswith("context."):
            if not np.allclose(np.asarray(other), np.asarray(value), rtol=SINGLE, atol=NEAR_0):
                told.append(f"{name}: engine {other!r}, reference {value!r}")
        elif isinstance(value, float) and isinstance(other, int | float):
            base = name.rpartition(".")[0]
            largest = max(abs(float(str(ours[f"{base}.{end}"]))) for end in ("min", "max"))
            scale = largest * largest * 8 if name.endswith(".m2") else largest
            if abs(value - other) > ROUNDING * max(scale, abs(value)):
                told.append(f"{name}: engine {other}, reference {value}")
        elif value != other:
            told.append(f"{name}: engine {other!r}, reference {value!r}")
    return told
