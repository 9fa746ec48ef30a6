"""The published columns of a flow, from its list of packets, with ``statistics`` and plain arithmetic.

One function a group of columns. ``snake`` names are those of the column map; ``headers`` of a golden CSV are
matched to them by position. Times become microseconds here, as floats of whole microseconds.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tests.sensor.flows.reference import ACK, CWR, ECE, FIN, PSH, RST, SYN, TCP, URG, Flow, Packet, Strict

Row = dict[str, float]
BULK_GAP_NS = 1_000_000_000
SUBFLOW_GAP_NS = 1_000_000_000
ACTIVITY_GAP_NS = 5_000_000_000
COUNTED = {"fin": FIN, "syn": SYN, "rst": RST, "psh": PSH, "ack": ACK, "urg": URG, "cwr": CWR, "ece": ECE}
# The legacy CSV prints the first packet's flags in the iteration order of a hash table under other names.
LEGACY_FLAG = {"fin": RST, "syn": PSH, "rst": ECE, "psh": SYN, "ack": ACK, "urg": FIN, "cwr": URG, "ece": CWR}


def deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; 0 for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def summary(prefix: str, values: Sequence[float], empty: float = 0.0) -> Row:
    """Mean, sample deviation, maximum and minimum under ``prefix``; all four ``empty`` when there is nothing."""
    if not values:
        return {f"{prefix}_{what}": empty for what in ("mean", "std", "max", "min")}
    return {
        f"{prefix}_mean": statistics.fmean(values),
        f"{prefix}_std": deviation(values),
        f"{prefix}_max": max(values),
        f"{prefix}_min": min(values),
    }


def gaps_us(packets: Sequence[Packet]) -> list[float]:
    """Time between consecutive packets in arrival order; negative where a clock went back."""
    return [(b.time_ns - a.time_ns) / 1000 for a, b in itertools.pairwise(packets)]


def columns(flow: Flow, variant: Strict) -> Row:
    """Every numeric column of one flow under one variant's formulas."""
    ahead = [p for p, forward in zip(flow.packets, flow.forward, strict=True) if forward]
    back = [p for p, forward in zip(flow.packets, flow.forward, strict=True) if not forward]
    row: Row = {"src_port": flow.src_port, "dst_port": flow.dst_port, "protocol": flow.proto}
    row |= _volume(flow, ahead, back)
    row |= _rates(flow, ahead, back, variant)
    row |= _inter_arrival(flow, ahead, back, variant)
    row |= _all_lengths(flow, variant)
    row |= _flags(flow, ahead, back, variant)
    row |= _averages(flow, ahead, back, variant)
    row |= _bulks(flow, variant)
    row |= _subflows(flow, ahead, back, variant)
    row |= _windows_and_data(flow, ahead, back, variant)
    row |= _activity(flow)
    row |= _later_additions(flow, variant)
    return row


def _volume(flow: Flow, ahead: list[Packet], back: list[Packet]) -> Row:
    row: Row = {"flow_duration": (flow.last_ns - flow.start_ns) / 1000}
    for name, packets in (("fwd", ahead), ("bwd", back)):
        sizes = [p.payload_bytes for p in packets]
        row[f"total_{name}_packets"] = len(packets)
        row[f"total_len_{name}"] = sum(sizes)
        row[f"{name}_header_len"] = sum(p.header_bytes for p in packets)
        row |= summary(f"{name}_pkt_len", sizes)
    return row


def _rates(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    seconds = (flow.last_ns - flow.start_ns) / 1e9
    total = sum(p.payload_bytes for p in flow.packets)
    if seconds:
        whole = {"flow_bytes_per_s": total / seconds, "flow_pkts_per_s": len(flow.packets) / seconds}
    elif variant == "fork":
        whole = {"flow_bytes_per_s": -1.0, "flow_pkts_per_s": -1.0}
    else:
        whole = {"flow_bytes_per_s": math.inf if total else math.nan, "flow_pkts_per_s": math.inf}
    return whole | {
        "fwd_pkts_per_s": len(ahead) / seconds if seconds > 0 else 0.0,
        "bwd_pkts_per_s": len(back) / seconds if seconds > 0 else 0.0,
    }


def _inter_arrival(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    row = summary("flow_iat", gaps_us(flow.packets), 0.0 if variant == "fork" else math.nan)
    for name, packets in (("fwd", ahead), ("bwd", back)):
        row[f"{name}_iat_total"] = sum(gaps_us(packets))
        row |= summary(f"{name}_iat", gaps_us(packets))
    return row


def _all_lengths(flow: Flow, variant: Strict) -> Row:
    sizes = [p.payload_bytes for p in flow.packets]
    counted = [sizes[0], *sizes] if variant == "legacy" else sizes
    row = summary("pkt_len", counted)
    row["pkt_len_var"] = statistics.variance(counted) if len(counted) > 1 else 0.0
    row["avg_packet_size"] = sum(counted) / len(sizes)
    return row


def _flags(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    if variant == "legacy":
        first = flow.packets[0].flags
        row: Row = {f"{name}_flag_count": bool(first & bit) for name, bit in LEGACY_FLAG.items()}
        return row | {
            "fwd_psh_flags": bool(first & PSH),
            "fwd_urg_flags": bool(first & URG),
            "bwd_psh_flags": 0,
            "bwd_urg_flags": 0,
        }
    row = {f"{name}_flag_count": sum(bool(p.flags & bit) for p in flow.packets) for name, bit in COUNTED.items()}
    for name, packets in (("fwd", ahead), ("bwd", back)):
        row[f"{name}_psh_flags"] = sum(bool(p.flags & PSH) for p in packets)
        row[f"{name}_urg_flags"] = sum(bool(p.flags & URG) for p in packets)
        later = packets if variant == "fork" else [p for p in packets if p is not flow.packets[0]]
        row[f"{name}_rst_flags"] = sum(bool(p.flags & RST) for p in later)
    return row


def _averages(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    ratio = len(back) / len(ahead) if ahead else 0.0
    return {
        "down_up_ratio": math.floor(ratio) if variant == "legacy" else ratio,
        "fwd_seg_size_avg": statistics.fmean(p.payload_bytes for p in ahead) if ahead else 0.0,
        "bwd_seg_size_avg": statistics.fmean(p.payload_bytes for p in back) if back else 0.0,
    }


@dataclass(slots=True)
class Bulks:
    """Runs of at least four data packets one way, none more than a second apart, not broken from the other side."""

    count: int = 0
    pkts: int = 0
    bytes: int = 0
    spent_ns: int = 0


def bulks(flow: Flow, forward: bool) -> Bulks:
    """Find the bulk runs of one direction by cutting its data packets into runs."""
    runs: list[list[Packet]] = []
    broken = True
    other_last_ns = -math.inf
    for packet, ahead in zip(flow.packets, flow.forward, strict=True):
        if ahead != forward:
            if packet.payload_bytes > 0:
                other_last_ns = packet.time_ns
            continue
        if runs and other_last_ns > runs[-1][0].time_ns:
            broken = True
        if packet.payload_bytes <= 0:
            continue
        if broken or packet.time_ns - runs[-1][-1].time_ns > BULK_GAP_NS:
            runs.append([])
        runs[-1].append(packet)
        broken = False
    long = [run for run in runs if len(run) >= 4]
    return Bulks(
        len(long),
        sum(len(run) for run in long),
        sum(p.payload_bytes for run in long for p in run),
        sum(run[-1].time_ns - run[0].time_ns for run in long),
    )


def _bulks(flow: Flow, variant: Strict) -> Row:
    row: Row = {}
    for name, forward in (("fwd", True), ("bwd", False)):
        found = bulks(flow, forward) if variant != "legacy" else Bulks()
        seconds = found.spent_ns / 1e9
        averages = (
            found.bytes / found.count if found.count else 0.0,
            found.pkts / found.count if found.count else 0.0,
            found.bytes / seconds if seconds else 0.0,
        )
        if variant == "cns22":
            whole, pkts, rate = averages
            averages = (math.trunc(whole), math.trunc(pkts), math.trunc(rate))
        row[f"{name}_bytes_bulk_avg"], row[f"{name}_pkts_bulk_avg"], row[f"{name}_bulk_rate_avg"] = averages
    return row


def _subflows(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    totals = {
        "subflow_fwd_pkts": len(ahead),
        "subflow_fwd_bytes": sum(p.payload_bytes for p in ahead),
        "subflow_bwd_pkts": len(back),
        "subflow_bwd_bytes": sum(p.payload_bytes for p in back),
    }
    if variant == "legacy":
        return dict(totals)
    if variant == "cns22":
        return {name: total // len(flow.packets) for name, total in totals.items()}
    parts = sum(gap * 1000 > SUBFLOW_GAP_NS for gap in gaps_us(flow.packets))
    return {name: total / parts if parts else 0.0 for name, total in totals.items()}


def _windows_and_data(flow: Flow, ahead: list[Packet], back: list[Packet], variant: Strict) -> Row:
    none = -1 if variant == "legacy" else 0
    is_tcp = flow.proto == TCP
    first = flow.packets[0]
    back_windows = [p.window for p in back] if is_tcp else []
    if variant == "fork":
        back_windows = [next((window for window in back_windows if window), 0)]
    later = ahead if variant == "fork" else ahead[1:] if flow.forward[0] else ahead
    return {
        "init_win_bytes_fwd": first.window if is_tcp and flow.forward[0] else none,
        "init_win_bytes_bwd": back_windows[-1] if back_windows else none,
        "fwd_act_data_pkts": sum(p.payload_bytes >= 1 for p in later),
        "bwd_act_data_pkts": sum(p.payload_bytes >= 1 for p in back),
        "fwd_seg_size_min": min(p.header_bytes for p in ahead) if flow.forward[0] else 0,
        "bwd_seg_size_min": 0 if flow.forward[0] else min(p.header_bytes for p in back),
    }


def periods(flow: Flow) -> tuple[list[int], list[int]]:
    """Closed active periods and idle gaps, in ns; the last active period stays open and is not told."""
    active: list[int] = []
    idle: list[int] = []
    begun = last = flow.start_ns
    for packet, watched in list(zip(flow.packets, flow.watched, strict=True))[1:]:
        if not watched:
            continue
        if packet.time_ns - last > ACTIVITY_GAP_NS:
            if last - begun > 0:
                active.append(last - begun)
            idle.append(packet.time_ns - last)
            begun = packet.time_ns
        last = packet.time_ns
    return active, idle


def _activity(flow: Flow) -> Row:
    active, idle = periods(flow)
    return summary("active", [ns / 1000 for ns in active]) | summary("idle", [ns / 1000 for ns in idle])


def _later_additions(flow: Flow, variant: Strict) -> Row:
    first = flow.packets[0]
    again = [forward for forward, repeated in zip(flow.forward, flow.repeated, strict=True) if repeated]
    return {
        "icmp_code": first.icmp_code,
        "icmp_type": first.icmp_type,
        "fwd_tcp_retrans": sum(again),
        "bwd_tcp_retrans": len(again) - sum(again),
        "total_tcp_retrans": len(again),
        "total_conn_flow_time": flow.conn_ns / 1000,
        "total_tcp_flow_time": flow.conn_ns / 1000,
    }
