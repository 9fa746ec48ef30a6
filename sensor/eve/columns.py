"""Flow records as columns of JSON text, made once for a batch and shared by all events.

A column holds pieces of an object's inside, without the braces, so that a flow event is one
concatenation and an alert of the same flow says the same thing in the same words.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.eve.community import ICMP, ICMPV6, SCTP, TCP, UDP, Records, community_ids

PROTOCOLS = {ICMP: "ICMP", TCP: "TCP", UDP: "UDP", ICMPV6: "IPv6-ICMP", SCTP: "SCTP"}
PORTED = (TCP, UDP, SCTP)
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Columns:
    """What alert and flow events have in common, one entry a flow.

    Attributes:
        flow_id: below 2^51, the same for the same flow on every run.
        start: time of the first packet.
        end: time of the last packet; the time of the event too.
        endpoints: `vlan`, addresses, ports, `proto`, `icmp_type` and `icmp_code`, each where the
            flow has it.
        traffic: packets and bytes by direction, and `start`.
        community: `community_id`, or nothing where there is none.
    """

    flow_id: list[int]
    start: list[str]
    end: list[str]
    endpoints: list[str]
    traffic: list[str]
    community: list[str]


def columns(flows: Records) -> Columns:
    """Return the text columns of a batch of flows.

    Args:
        flows: FLOW_DTYPE, shape (n,); n may be 0.
    """
    start, end = timestamps(flows["start_ns"]), timestamps(flows["end_ns"])
    forward, backward = flows["fwd"], flows["bwd"]
    return Columns(
        flow_id=flows["flow_id"].tolist(),
        start=start,
        end=end,
        endpoints=_endpoints(flows),
        traffic=[
            f'"pkts_toserver":{pkts_to},"pkts_toclient":{pkts_from},'
            f'"bytes_toserver":{bytes_to},"bytes_toclient":{bytes_from},"start":"{began}"'
            for pkts_to, pkts_from, bytes_to, bytes_from, began in zip(
                forward["pkts"].tolist(),
                backward["pkts"].tolist(),
                forward["bytes"].tolist(),
                backward["bytes"].tolist(),
                start,
                strict=True,
            )
        ],
        community=[f',"community_id":"{text}"' if text else "" for text in community_ids(flows)],
    )


def timestamps(time_ns: npt.ArrayLike) -> list[str]:
    """Return packet times as EVE writes them: `2026-11-21T22:00:00.000000+0000`, UTC.

    Args:
        time_ns: int64 nanoseconds since 1970, shape (n,); anything below a microsecond is cut off.
    """
    micros = np.asarray(time_ns, dtype=np.int64) // 1000
    texts: list[str] = np.datetime_as_string(micros.astype("datetime64[us]")).tolist()
    return [text + "+0000" for text in texts]


@lru_cache(maxsize=65536)
def address(raw: bytes) -> str:
    """Return an address in text, 4 bytes as IPv4 and 16 as IPv6 in full, no group shortened."""
    if len(raw) == 4:
        return f"{raw[0]}.{raw[1]}.{raw[2]}.{raw[3]}"
    return raw.hex(":", 2)


def _endpoints(flows: Records) -> list[str]:
    """Return for each flow who talked to whom over what."""
    source, target = flows["src"].tobytes(), flows["dst"].tobytes()
    pieces: list[str] = []
    for at, version, proto, source_port, target_port in zip(
        range(0, 16 * len(flows), 16),
        flows["ip_version"].tolist(),
        flows["proto"].tolist(),
        flows["src_port"].tolist(),
        flows["dst_port"].tolist(),
        strict=True,
    ):
        to = at + (4 if version == 4 else 16)
        if version == 0:
            pieces.append(f'"proto":"{proto}"')
        elif proto in PORTED:
            pieces.append(
                f'"src_ip":"{address(source[at:to])}","src_port":{source_port},'
                f'"dest_ip":"{address(target[at:to])}","dest_port":{target_port},'
                f'"proto":"{PROTOCOLS[proto]}"'
            )
        else:
            pieces.append(
                f'"src_ip":"{address(source[at:to])}","dest_ip":"{address(target[at:to])}",'
                f'"proto":"{PROTOCOLS.get(proto, proto)}"'
            )
    _add_icmp(pieces, flows)
    _add_vlan(pieces, flows)
    return pieces


def _add_icmp(pieces: list[str], flows: Records) -> None:
    """Put type and code behind the flows that have them."""
    for row in np.flatnonzero((flows["icmp_type"] >= 0) & (flows["icmp_code"] >= 0)).tolist():
        flow: Any = flows[row]
        pieces[row] += f',"icmp_type":{flow["icmp_type"]},"icmp_code":{flow["icmp_code"]}'


def _add_vlan(pieces: list[str], flows: Records) -> None:
    """Put the VLAN ids, outermost first, before the flows that were tagged."""
    for row in np.flatnonzero(flows["vlans"]).tolist():
        flow: Any = flows[row]
        tags = flow["vlan"][: int(flow["vlans"])].tolist()
        pieces[row] = f'"vlan":{str(tags).replace(" ", "")},{pieces[row]}'
