"""Flow records made by hand or by hypothesis, with scores, as the events are built from them."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from sensor.flows import FLOW_DTYPE
from sensor.rulebook import Rule, ScoredFlows, Verdict

CLASSES = ("benign", "dos", "scan")
NOON_NS = 1_795_262_400_000_000_000
"""2026-11-21T12:00:00 UTC."""

Fields = Mapping[str, Any]


def flow(**fields: Any) -> NDArray[np.void]:
    """Return one flow, shape (1,): HTTPS over IPv4, three packets there and two back, unless told otherwise.

    `src` and `dst` are addresses in text; `fwd_pkts`, `fwd_bytes`, `bwd_pkts` and `bwd_bytes` reach into
    the directions.
    """
    made: NDArray[np.void] = np.zeros(1, dtype=FLOW_DTYPE)
    known: dict[str, Any] = {
        "flow_id": 1234567890123456 % 2**51,
        "start_ns": NOON_NS,
        "end_ns": NOON_NS + 1_500_000_000,
        "src": "192.0.2.7",
        "dst": "198.51.100.9",
        "src_port": 49152,
        "dst_port": 443,
        "proto": 6,
        "icmp_type": -1,
        "icmp_code": -1,
        "reason": 1,
        "state": 2,
        "fwd_flags": 0x1B,
        "bwd_flags": 0x13,
        "fwd_pkts": 3,
        "fwd_bytes": 300,
        "bwd_pkts": 2,
        "bwd_bytes": 2000,
    } | fields
    for name in ("src", "dst"):
        address = ip_address(known.pop(name))
        made[name][0, : len(address.packed)] = np.frombuffer(address.packed, dtype=np.uint8)
        made["ip_version"] = address.version
    for name, value in known.items():
        if name[4:] in {"pkts", "bytes"}:
            made[name[:3]][name[4:]] = value
        else:
            made[name] = value
    return made


def scored(
    flows: NDArray[np.void],
    permille: int | Sequence[int] = 975,
    above: bool | Sequence[bool] = True,
    class_index: int | Sequence[int] = 1,
    **fields: Any,
) -> ScoredFlows:
    """Return flows with the same or with each its own score."""
    count = len(flows)
    known: dict[str, Any] = {"class_names": CLASSES, "threshold_permille": 930} | fields
    return ScoredFlows(
        flows=flows,
        score_permille=np.broadcast_to(np.asarray(permille, dtype=np.int64), count),
        above=np.broadcast_to(np.asarray(above, dtype=bool), count),
        class_index=np.broadcast_to(np.asarray(class_index, dtype=np.int64), count),
        budget_rank=np.zeros(count, dtype=np.int64),
        **known,
    )


def rule(**fields: Any) -> Rule:
    """Return a rule that says no more than it must, unless told otherwise."""
    known: dict[str, Any] = {"action": "alert", "sid": 1000001, "conditions": (), "path": "x.rules", "line": 1}
    return Rule(**known | fields)


def verdict(row: int = 0, count: int = 1, by: Rule | None = None, **fields: Any) -> Verdict:
    """Return a verdict on a row of a batch."""
    known: dict[str, Any] = {"first_ns": NOON_NS, "last_ns": NOON_NS, "update": False}
    known |= {"flow": flow()[0], "score_permille": 975, "class_name": "dos"}
    return Verdict(row=row, rule=by or rule(), count=count, **known | fields)


COUNTS = st.integers(0, 2**63 - 1)
PORTS = st.integers(0, 65535)
PROTOCOLS = st.sampled_from([1, 6, 17, 58, 132, 0, 2, 47, 255]) | st.integers(0, 255)


@st.composite
def any_flow(draw: st.DrawFn) -> NDArray[np.void]:
    """Draw a flow that an engine might hand over, also one from hostile packets."""
    ends = draw(st.sampled_from([st.ip_addresses(v=4), st.ip_addresses(v=6)]))
    proto = draw(PROTOCOLS)
    icmp = proto in (1, 58) and draw(st.booleans())
    made = flow(
        flow_id=draw(st.integers(0, 2**51 - 1)),
        start_ns=draw(st.integers(-(2**62), 2**62)),
        end_ns=draw(st.integers(-(2**62), 2**62)),
        src=str(draw(ends)),
        dst=str(draw(ends)),
        proto=proto,
        src_port=draw(PORTS),
        dst_port=draw(PORTS),
        icmp_type=draw(st.integers(0, 255)) if icmp else -1,
        icmp_code=draw(st.integers(0, 255)) if icmp else -1,
        reason=draw(st.integers(1, 8)),
        state=draw(st.integers(0, 2)),
        fwd_flags=draw(st.integers(0, 255)),
        bwd_flags=draw(st.integers(0, 255)),
        vlans=draw(st.integers(0, 2)),
        vlan=(draw(st.integers(0, 4095)), draw(st.integers(0, 4095))),
        fwd_pkts=draw(COUNTS),
        fwd_bytes=draw(COUNTS),
        bwd_pkts=draw(COUNTS),
        bwd_bytes=draw(COUNTS),
    )
    if draw(st.integers(0, 20)) == 0:
        made["ip_version"] = 0
    return made


@st.composite
def any_scored(draw: st.DrawFn) -> ScoredFlows:
    """Draw a batch of flows with scores."""
    flows = np.concatenate(draw(st.lists(any_flow(), min_size=1, max_size=4)))
    count = len(flows)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    return scored(
        flows,
        column(st.integers(0, 1000)),
        column(st.booleans()),
        column(st.integers(1, 2)),
        app_proto=draw(
            st.none() | st.tuples(*[st.none() | st.sampled_from(["http", "tls", 'a"b\\']) for _ in range(count)])
        ),
    )
