"""Flow records written by hand, field by field, for tests of what is computed from them."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.flows import FLOW_DTYPE

US = 1000
TCP, UDP, ICMP = 6, 17, 1
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))


def flow(**fields: Any) -> NDArray[np.void]:
    """Return one record, (1,): IPv4, TCP, all else 0; a dict fills a nested field."""
    record = np.zeros(1, FLOW_DTYPE)
    for name, value in {"ip_version": 4, "proto": TCP, "icmp_type": -1, "icmp_code": -1}.items():
        record[name] = value
    _fill(record, fields)
    return record


def _fill(record: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, dict):
            _fill(record[name], value)
        elif isinstance(value, str):
            record[name][0, :4] = [int(part) for part in value.split(".")]
        else:
            record[name] = value


def gaps(*us: int) -> dict[str, Any]:
    """Return the moments of some times in microseconds, as the engine keeps them in nanoseconds."""
    ns = np.array(us, np.float64) * US
    return {
        "n": len(us),
        "mean": ns.mean(),
        "m2": ((ns - ns.mean()) ** 2).sum(),
        "min": min(us) * US,
        "max": max(us) * US,
    }


def counted(**flags: int) -> list[int]:
    """Return the eight flag counters: how many packets had FIN, SYN, RST, PSH, ACK, URG, ECE, CWR."""
    return [flags.get(name, 0) for name in ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")]


def conversation() -> NDArray[np.void]:
    """Return a TCP flow of five packets, begun at 1 s:

    time   0 us forward   SYN      header 40  payload   0  window 1000
    time  10 us backward  SYN ACK  header 40  payload   0  window 2000
    time  30 us forward   PSH ACK  header 32  payload 100
    time  70 us forward   PSH ACK  header 32  payload  50
    time 150 us backward  RST ACK  header 20  payload   0  window    0
    """
    begun = 1_000_000 * US
    return flow(
        src="192.168.0.7",
        dst="10.1.2.3",
        src_port=40000,
        dst_port=80,
        start_ns=begun,
        end_ns=begun + 150 * US,
        iat=gaps(10, 20, 40, 80),
        first_flags=SYN,
        fwd_flags=SYN | PSH | ACK,
        bwd_flags=SYN | ACK | RST,
        fwd_init_win=1000,
        bwd_init_win=2000,
        bwd_last_win=0,
        fwd={
            "pkts": 3,
            "bytes": 54 * 3 + 150 + 12,
            "ip_bytes": 20 * 3 + 104 + 150,
            "payload": 150,
            "payload_sq": 100**2 + 50**2,
            "payload_max": 100,
            "header": 104,
            "header_min": 32,
            "data_pkts": 2,
            "first_ns": begun,
            "last_ns": begun + 70 * US,
            "iat": gaps(30, 40),
            "flags": counted(syn=1, psh=2, ack=2),
        },
        bwd={
            "pkts": 2,
            "bytes": 54 * 2 + 20,
            "ip_bytes": 20 * 2 + 60,
            "header": 60,
            "header_min": 20,
            "first_ns": begun + 10 * US,
            "last_ns": begun + 150 * US,
            "iat": gaps(140),
            "flags": counted(syn=1, ack=2, rst=1),
        },
    )


def lone_datagram(payload: int = 48) -> NDArray[np.void]:
    """Return a UDP flow of one packet."""
    return flow(
        src="10.0.0.1",
        dst="10.0.0.2",
        src_port=123,
        dst_port=123,
        proto=UDP,
        start_ns=5 * US,
        end_ns=5 * US,
        first_payload=payload,
        fwd_init_win=-1,
        bwd_init_win=-1,
        bwd_last_win=-1,
        fwd={
            "pkts": 1,
            "ip_bytes": 28 + payload,
            "payload": payload,
            "payload_sq": payload**2,
            "payload_min": payload,
            "payload_max": payload,
            "header": 8,
            "header_min": 8,
            "data_pkts": int(payload > 0),
            "first_ns": 5 * US,
            "last_ns": 5 * US,
        },
    )


def begun_backward() -> NDArray[np.void]:
    """Return a continued TCP flow whose first packet, 10 bytes with RST, went backward."""
    return flow(
        start_ns=0,
        end_ns=2_000_000 * US,
        first_backward=1,
        first_payload=10,
        first_flags=RST | ACK,
        fwd_init_win=-1,
        bwd_init_win=500,
        bwd_last_win=600,
        gaps_1s=2,
        conn_ns=9_000_000 * US,
        fwd={"pkts": 1, "payload": 7, "payload_sq": 49, "payload_min": 7, "payload_max": 7}
        | {"header": 20, "header_min": 20, "data_pkts": 1, "flags": counted(rst=1)},
        bwd={"pkts": 3, "payload": 30, "payload_sq": 300, "payload_min": 10, "payload_max": 10}
        | {"header": 60, "header_min": 20, "data_pkts": 3, "flags": counted(rst=2)},
    )


def released(shared_data: Path) -> Iterator[dict[str, NDArray[np.str_]]]:
    """Yield the columns, as text, of every table of the corrected release's sample."""
    for path in sorted((shared_data / "cicids2017_improved_5000").glob("*_*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file))
        if "Flow ID" in table[0] and len(table) > 1:
            yield {name: np.array(values) for name, *values in zip(*table, strict=True)}
