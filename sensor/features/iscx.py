"""The features that the records of ISCXIDS2012, Zeek and Suricata all know of a flow.

The formulas are in iscx2012.json. Whatever the source, a flow is first brought to the few facts
that all of them state (`_Facts`); every feature follows from these alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensor.errors import NettrusionError
from sensor.features.moments import Float, ratio

SECOND_NS = 1_000_000_000
FLAGS = {"syn": 2, "fin": 1, "rst": 4}
FLAG_LETTERS = {"syn": "S", "fin": "F", "rst": "R"}
PROTOCOLS = {"tcp": (6,), "udp": (17,), "icmp": (1, 58)}
XML_PROTOCOLS = {"tcp_ip": 6, "udp_ip": 17, "icmp_ip": 1, "ipv6icmp": 58}

# The XML counts Ethernet frames with their checksum, IP counts neither: 14 + 4 bytes a packet.
XML_LINK_BYTES = 18


@dataclass(frozen=True, slots=True)
class _Facts:
    """One batch of flows: clock seconds, counts by side, flags by name such as `fwd_syn` (0 or 1)."""

    duration_s: Float
    pkts: Mapping[str, Float]
    ip_bytes: Mapping[str, Float]
    flags: Mapping[str, Float]
    protocol: NDArray[np.int64]


def columns(flows: NDArray[np.void], variant: str) -> dict[str, Float]:
    """Return the features of `flows` (FLOW_DTYPE, (n,)) by name, float64 (n,); one variant only."""
    sides = {name: flows[name] for name in ("fwd", "bwd")}
    return _features(
        _Facts(
            duration_s=(flows["end_ns"] // SECOND_NS - flows["start_ns"] // SECOND_NS) * 1.0,
            pkts={name: side["pkts"].astype(np.float64) for name, side in sides.items()},
            ip_bytes={name: side["ip_bytes"].astype(np.float64) for name, side in sides.items()},
            flags={
                f"{name}_{flag}": (flows[f"{name}_flags"] & bit != 0).astype(np.float64)
                for name in sides
                for flag, bit in FLAGS.items()
            },
            protocol=flows["proto"].astype(np.int64),
        )
    )


def read(columns: Mapping[str, ArrayLike], variant: str, features: Any) -> dict[str, Float]:
    """Return the features of rows of the XML, its element names as headers, by name, float64 (n,).

    Dates are the XML's text (ISO 8601), flags its letters ("F,S,P,A", "N/A", empty or missing).
    Raises NettrusionError that names an element which is missing or holds something else.
    """
    source = {"fwd": "Source", "bwd": "Destination"}
    pkts = {name: _numbers(columns, f"total{side}Packets") for name, side in source.items()}
    frames = {name: _numbers(columns, f"total{side}Bytes") for name, side in source.items()}
    begun, ended = (_seconds(columns, name) for name in ("startDateTime", "stopDateTime"))
    flags = {}
    for name, side in source.items():
        texts = _texts(columns, f"{side.lower()}TCPFlagsDescription")
        for flag, letter in FLAG_LETTERS.items():
            flags[f"{name}_{flag}"] = np.array([letter in text.split(",") for text in texts], float)
    names = _texts(columns, "protocolName")
    return _features(
        _Facts(
            duration_s=ended - begun,
            pkts=pkts,
            ip_bytes={name: np.maximum(frames[name] - XML_LINK_BYTES * pkts[name], 0.0) for name in source},
            flags=flags,
            protocol=np.array([XML_PROTOCOLS.get(name, 0) for name in names], np.int64),
        )
    )


def _features(facts: _Facts) -> dict[str, Float]:
    with np.errstate(all="ignore"):
        touched = facts.duration_s + 1.0
        out = {"duration_s": facts.duration_s}
        for name, pkts in facts.pkts.items():
            size = facts.ip_bytes[name]
            out |= {
                f"{name}_pkts": pkts,
                f"{name}_ip_bytes": size,
                f"{name}_pkts_per_s": pkts / touched,
                f"{name}_ip_bytes_per_s": size / touched,
                f"{name}_ip_bytes_per_pkt": ratio(size, pkts),
            }
        out["bwd_pkts_share"] = ratio(facts.pkts["bwd"], facts.pkts["fwd"] + facts.pkts["bwd"])
        whole = facts.ip_bytes["fwd"] + facts.ip_bytes["bwd"]
        out["bwd_ip_bytes_share"] = ratio(facts.ip_bytes["bwd"], whole)
    tcp = facts.protocol == PROTOCOLS["tcp"][0]
    out |= {name: np.where(tcp, flag, 0.0) for name, flag in facts.flags.items()}
    for name, numbers in PROTOCOLS.items():
        out[f"is_{name}"] = np.isin(facts.protocol, numbers).astype(np.float64)
    return out


def _column(columns: Mapping[str, ArrayLike], name: str) -> NDArray[Any]:
    if name not in columns:
        raise NettrusionError(f"the records have no element {name}; ISCXIDS2012 records do")
    return np.asarray(columns[name])


def _numbers(columns: Mapping[str, ArrayLike], name: str) -> Float:
    try:
        return _column(columns, name).astype(np.float64)
    except ValueError as error:
        raise NettrusionError(f"element {name} holds something that is no number: {error}") from None


def _texts(columns: Mapping[str, ArrayLike], name: str) -> list[str]:
    return [value if isinstance(value, str) else "" for value in _column(columns, name).tolist()]


def _seconds(columns: Mapping[str, ArrayLike], name: str) -> Float:
    try:
        times = _column(columns, name).astype("datetime64[s]")
    except ValueError as error:
        raise NettrusionError(f"element {name} holds something that is no time: {error}") from None
    return np.where(np.isnat(times), np.nan, times.astype(np.int64).astype(np.float64))
