"""The CICFlowMeter features of flow records, by the formulas of three of its versions.

The formulas are in cic2022.json, what the versions do differently in `variants`. All arithmetic is
float64 over whole batches, with neither NaN nor infinity kept away: what they become in a feature
matrix is the feature set's to say, in a published table they stay. Counts are exact up to 2**53.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.features.moments import Float, mean, moments, ratio, sample_variance
from sensor.features.variants import LEGACY_FLAGS, QUIRKS, Quirks

Flows = NDArray[np.void]

SIDES = ("fwd", "bwd")
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")  # bits of the TCP flags, lowest first
TCP = 6
ICMP = 1


def columns(flows: Flows, variant: str) -> dict[str, Float]:
    """Return every numeric column of a version for `flows` (FLOW_DTYPE, (n,)), by feature name.

    float64 of shape (n,), times in microseconds, NaN, Infinity and -1 where the version prints
    them. A version's CSV has a part of the columns; those that `legacy` lacks are left out. Raises
    KeyError for an unknown variant.
    """
    with np.errstate(all="ignore"):
        batch = _Batch(flows, QUIRKS[variant])
        out = {"protocol": _protocol(batch), "flow_duration": batch.duration}
        for part in (_sizes, _rates, _gaps, _flags, _lengths, _bulks, _subflows, _first_seen, _activity):
            out |= part(batch)
        if variant != "legacy":
            out |= _later_columns(batch)
    return out


class _Batch:
    """What several formulas of one batch share; counts as float64 (n,), times in microseconds."""

    def __init__(self, flows: Flows, quirks: Quirks) -> None:
        self.flows = flows
        self.quirks = quirks
        self.side: dict[str, Any] = {name: flows[name] for name in SIDES}
        self.pkts = {name: self.side[name]["pkts"].astype(np.float64) for name in SIDES}
        self.payload = {name: self.side[name]["payload"].astype(np.float64) for name in SIDES}
        self.all_pkts = self.pkts["fwd"] + self.pkts["bwd"]
        self.all_payload = self.payload["fwd"] + self.payload["bwd"]
        self.duration: Float = (flows["end_ns"] - flows["start_ns"]) / 1e3
        self.forward_first: NDArray[np.bool_] = flows["first_backward"] == 0
        self.tcp: NDArray[np.bool_] = flows["proto"] == TCP
        self.first_flags: dict[str, Float] = {
            flag: ((flows["first_flags"] >> bit) & 1).astype(np.float64) for bit, flag in enumerate(FLAGS)
        }


def _protocol(batch: _Batch) -> Float:
    named = np.zeros(256)
    named[list(batch.quirks.protocols)] = batch.quirks.protocols
    return np.take(named, batch.flows["proto"])


def _sizes(batch: _Batch) -> dict[str, Float]:
    out: dict[str, Float] = {}
    for name in SIDES:
        side, pkts = batch.side[name], batch.pkts[name]
        average = mean(batch.payload[name], pkts)
        variance = sample_variance(side["pkts"], side["payload"], side["payload_sq"])
        out |= {
            f"total_{name}_packets": pkts,
            f"total_len_{name}": batch.payload[name],
            f"{name}_pkt_len_max": side["payload_max"].astype(np.float64),
            f"{name}_pkt_len_min": side["payload_min"].astype(np.float64),
            f"{name}_pkt_len_mean": average,
            f"{name}_pkt_len_std": np.sqrt(variance),
            f"{name}_seg_size_avg": average,
            f"{name}_header_len": side["header"].astype(np.float64),
        }
    down_up = ratio(batch.pkts["bwd"], batch.pkts["fwd"])
    out["down_up_ratio"] = np.trunc(down_up) if batch.quirks.whole_ratio else down_up
    return out


def _rates(batch: _Batch) -> dict[str, Float]:
    seconds = batch.duration / 1e6
    whole = {
        "flow_bytes_per_s": batch.all_payload / seconds,
        "flow_pkts_per_s": batch.all_pkts / seconds,
    }
    if batch.quirks.zero_time_rate is not None:
        for rate in whole.values():
            rate[seconds == 0] = batch.quirks.zero_time_rate
    ahead = seconds > 0
    return whole | {f"{name}_pkts_per_s": np.where(ahead, batch.pkts[name] / seconds, 0.0) for name in SIDES}


def _gaps(batch: _Batch) -> dict[str, Float]:
    out = moments("flow_iat", batch.flows["iat"], batch.quirks.gaps_needed)
    for name in SIDES:
        side = batch.side[name]
        total = (side["last_ns"] - side["first_ns"]) / 1e3
        out[f"{name}_iat_total"] = np.where(batch.pkts[name] > 1, total, 0.0)
        out |= moments(f"{name}_iat", side["iat"])
    return out


def _flags(batch: _Batch) -> dict[str, Float]:
    if batch.quirks.first_flags_only:
        first = batch.first_flags
        none = np.zeros(len(batch.flows))
        return {f"{flag}_flag_count": first[held] for flag, held in LEGACY_FLAGS.items()} | {
            "fwd_psh_flags": first["psh"],
            "bwd_psh_flags": none,
            "fwd_urg_flags": first["urg"],
            "bwd_urg_flags": none,
        }
    counts = {name: batch.side[name]["flags"].T.astype(np.float64) for name in SIDES}
    both = counts["fwd"] + counts["bwd"]
    out = {f"{flag}_flag_count": both[bit] for bit, flag in enumerate(FLAGS)}
    for name in SIDES:
        out[f"{name}_psh_flags"] = counts[name][FLAGS.index("psh")]
        out[f"{name}_urg_flags"] = counts[name][FLAGS.index("urg")]
        out[f"{name}_rst_flags"] = counts[name][FLAGS.index("rst")] - _first(batch, name, batch.first_flags["rst"])
    return out


def _first(batch: _Batch, name: str, value: Float) -> Float | float:
    """Return what the flow's first packet adds to a count of its direction that leaves it out."""
    if not batch.quirks.first_packet_skipped:
        return 0.0
    return np.where(batch.forward_first == (name == "fwd"), value, 0.0)


def _lengths(batch: _Batch) -> dict[str, Float]:
    fwd, bwd, first = batch.side["fwd"], batch.side["bwd"], batch.flows["first_payload"]
    times = np.uint64(batch.quirks.first_payload_twice)
    pkts = fwd["pkts"] + bwd["pkts"] + times
    payload = fwd["payload"] + bwd["payload"] + times * first
    squares = fwd["payload_sq"] + bwd["payload_sq"] + times * first.astype(np.uint64) ** 2
    variance = sample_variance(pkts, payload, squares)
    lowest = np.where(
        batch.pkts["fwd"] == 0,
        bwd["payload_min"],
        np.where(batch.pkts["bwd"] == 0, fwd["payload_min"], np.minimum(fwd["payload_min"], bwd["payload_min"])),
    )
    return {
        "pkt_len_min": lowest.astype(np.float64),
        "pkt_len_max": np.maximum(fwd["payload_max"], bwd["payload_max"]).astype(np.float64),
        "pkt_len_mean": mean(payload.astype(np.float64), pkts.astype(np.float64)),
        "pkt_len_std": np.sqrt(variance),
        "pkt_len_var": variance,
        "avg_packet_size": mean(payload.astype(np.float64), batch.all_pkts),
    }


def _bulks(batch: _Batch) -> dict[str, Float]:
    out: dict[str, Float] = {}
    for name in SIDES:
        side = batch.side[name]
        size = side["bulk_bytes"].astype(np.float64)
        count = side["bulk_count"].astype(np.float64)
        seconds = side["bulk_ns"] / 1e3 / 1e6
        out |= {
            f"{name}_bytes_bulk_avg": mean(size, count),
            f"{name}_pkts_bulk_avg": mean(side["bulk_pkts"].astype(np.float64), count),
            f"{name}_bulk_rate_avg": ratio(size, seconds),
        }
    if batch.quirks.bulks == "exact":
        return out
    if batch.quirks.bulks == "none":
        return dict.fromkeys(out, np.zeros(len(batch.flows)))
    return {column: np.trunc(value) for column, value in out.items()}


def _subflows(batch: _Batch) -> dict[str, Float]:
    totals = {f"subflow_{name}_pkts": batch.pkts[name] for name in SIDES}
    totals |= {f"subflow_{name}_bytes": batch.payload[name] for name in SIDES}
    if batch.quirks.subflows == "one":
        return totals
    if batch.quirks.subflows == "packets":
        return {column: np.trunc(mean(total, batch.all_pkts)) for column, total in totals.items()}
    gaps = batch.flows["gaps_1s"].astype(np.float64)
    return {column: ratio(total, gaps) for column, total in totals.items()}


def _first_seen(batch: _Batch) -> dict[str, Float]:
    flows, quirks = batch.flows, batch.quirks
    back = flows["bwd_last_win" if quirks.last_backward_window else "bwd_init_win"]
    carries = (flows["first_payload"] > 0).astype(np.float64)
    windows = {"init_win_bytes_fwd": flows["fwd_init_win"], "init_win_bytes_bwd": back}
    return {
        column: np.where(batch.tcp & (window >= 0), window, quirks.no_window).astype(np.float64)
        for column, window in windows.items()
    } | {
        "fwd_act_data_pkts": batch.side["fwd"]["data_pkts"] - _first(batch, "fwd", carries),
        "fwd_seg_size_min": np.where(batch.forward_first, batch.side["fwd"]["header_min"], 0.0),
    }


def _activity(batch: _Batch) -> dict[str, Float]:
    return moments("active", batch.flows["active"]) | moments("idle", batch.flows["idle"])


def _later_columns(batch: _Batch) -> dict[str, Float]:
    """Columns that only the corrected versions have."""
    flows = batch.flows
    icmp = flows["proto"] == ICMP
    connection = flows["conn_ns"] / 1e3
    timed = batch.tcp | (not batch.quirks.tcp_time_only)
    again = {name: batch.side[name]["retrans"].astype(np.float64) for name in SIDES}
    return {
        "icmp_code": np.where(icmp, flows["icmp_code"], -1.0),
        "icmp_type": np.where(icmp, flows["icmp_type"], -1.0),
        "total_tcp_flow_time": np.where(timed, connection, 0.0),
        "bwd_act_data_pkts": batch.side["bwd"]["data_pkts"].astype(np.float64),
        "bwd_seg_size_min": np.where(batch.forward_first, 0.0, batch.side["bwd"]["header_min"]),
        "fwd_tcp_retrans": again["fwd"],
        "bwd_tcp_retrans": again["bwd"],
        "total_tcp_retrans": again["fwd"] + again["bwd"],
    }
