"""The slow, obvious specification of the flow engine's three strict profiles.

``cns22``, ``fork`` and ``legacy`` are CICFlowMeter's own flow rules, version by version. A flow here is nothing
but its list of packets in arrival order; every figure of it is computed afterwards, from that list, by
``reference_columns`` (published columns) and ``reference_record`` (engine records). Nothing is incremental.

What the golden rows require, where the public description of the columns leaves it open:

* Only IPv4 over Ethernet, bare or behind 802.1Q/802.1ad tags, makes a flow. Everything else is not a flow.
* The protocol is 6 and 17 with ports; ``cns22`` adds 1 (type and code), ``fork`` 2 and 132 too. None of these has
  a header or payload length. Anything else, and every fragment but the first, is protocol 0 with no ports:
  all of it between two hosts is one flow.
* A lookup tries the packet's own order of addresses and ports, then the reverse (``cns22``, ``fork``); ``legacy``
  builds one canonical name from the two addresses compared as signed bytes.
* Forward is: the source address equals the flow's source address. Ports are not looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
SECOND_NS = 1_000_000_000
FLOW_TIMEOUT_NS = 120 * SECOND_NS
TCP, UDP, ICMP, IGMP, SCTP = 6, 17, 1, 2, 132

Strict = Literal["cns22", "fork", "legacy"]
Reason = Literal["fin", "rst", "idle", "active", "evicted", "shutdown", "reuse", "snapshot"]
Key = tuple[bytes, bytes, int, int, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """One decoded packet; lengths in bytes, time in ns since the epoch."""

    time_ns: int
    src: bytes
    dst: bytes
    src_port: int = 0
    dst_port: int = 0
    proto: int = 0
    frame_bytes: int = 0
    ip_bytes: int = 0
    header_bytes: int = 0
    payload_bytes: int = 0
    flags: int = 0
    window: int = 0
    seq: int = 0
    ack: int = 0
    icmp_type: int = -1
    icmp_code: int = -1
    ip_version: int = 4
    vlans: tuple[int, ...] = ()
    icmp_key: tuple[int, int] = (-1, -1)
    orphan: bool = False
    quoted: Packet | None = None

    @property
    def key(self) -> Key:
        """The packet's own five-tuple, source first."""
        return (self.src, self.dst, self.src_port, self.dst_port, self.proto)

    @property
    def reverse_key(self) -> Key:
        """The five-tuple of an answer to this packet."""
        return (self.dst, self.src, self.dst_port, self.src_port, self.proto)

    @property
    def identity(self) -> tuple[bytes, int, int, int, int]:
        """What makes two TCP packets the same for the retransmission count."""
        return (self.src, self.seq, self.ack, self.payload_bytes, self.window)


@dataclass(slots=True)
class Connection:
    """What the pieces of a flow share that went on in its roles: when the first began, how many records told of it;
    for its hosts: who knows of its beginning, whether its end is counted; of each piece told, the payload bytes of both
    directions and the responder's packets.
    """

    start_ns: int | None = None
    told: int = 0
    era: int = -1
    ended: bool = False
    pieces: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Flow:
    """One flow: who, and every packet of it in arrival order.

    ``part`` numbers the records of a connection, snapshots among them. ``one_name``: the rules never look at ports to
    tell the two directions of a host that talks to itself.
    """

    key: Key
    src: bytes
    dst: bytes
    src_port: int
    dst_port: int
    proto: int
    packets: list[Packet] = field(default_factory=list)
    forward: list[bool] = field(default_factory=list)
    watched: list[bool] = field(default_factory=list)
    repeated: list[bool] = field(default_factory=list)
    seen: set[tuple[bytes, int, int, int, int]] = field(default_factory=set)
    fins: set[bool] = field(default_factory=set)
    state: Literal["open", "first fin", "second fin", "fin", "rst"] = "open"
    conn_ns: int = 0
    first_syn: int | None = None
    reason: Reason = "shutdown"
    connection: Connection = field(default_factory=Connection)
    part: int = 0
    one_name: bool = False
    context: dict[str, float | tuple[float, ...]] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the connection is over: both sides' FIN and one more ACK, or a RST."""
        return self.state in ("fin", "rst")

    @property
    def start_ns(self) -> int:
        """Time of the first packet in arrival order."""
        return self.packets[0].time_ns

    @property
    def last_ns(self) -> int:
        """Time of the last packet in arrival order."""
        return self.packets[-1].time_ns

    def piece(self) -> Flow:
        """An empty flow of the same two ends in the same roles, of the same connection."""
        flow = Flow(self.key, self.src, self.dst, self.src_port, self.dst_port, self.proto)
        flow.connection, flow.one_name = self.connection, self.one_name
        return flow

    def tell(self, reason: Reason) -> None:
        """Say why the flow is reported; it gets the next number of its connection."""
        self.reason = reason
        self.part = self.connection.told
        self.connection.told += 1

    def snapshot(self) -> Flow:
        """A copy of the flow as it is by now, told as such."""
        copied = replace(
            self,
            packets=list(self.packets),
            forward=list(self.forward),
            watched=list(self.watched),
            repeated=list(self.repeated),
        )
        copied.tell("snapshot")
        return copied

    def add(self, packet: Packet, *, forward: bool | None = None, watched: bool = True) -> None:
        """Append a packet; ``watched`` says whether the active and idle periods take notice of it."""
        if self.connection.start_ns is None:
            self.connection.start_ns = packet.time_ns
        self.packets.append(packet)
        self.forward.append(packet.src == self.src if forward is None else forward)
        self.watched.append(watched)
        self.repeated.append(packet.proto == TCP and packet.identity in self.seen)
        if packet.proto == TCP:
            self.seen.add(packet.identity)


def read_pcap(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (time in ns, length on the wire, captured bytes) of a classic pcap; a record cut short ends it."""
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    endian = order[data[:4]]
    scale = 1 if b"\x3c" in data[:4] else 1000
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = struct.unpack_from(f"{endian}IIII", data, at)
        at += 16
        if at + captured > len(data):
            return
        yield seconds * SECOND_NS + fraction * scale, wire, data[at : at + captured]
        at += captured


def decode_strict(profile: Strict, time_ns: int, wire: int, frame: bytes) -> Packet | None:
    """Decode a frame as CICFlowMeter sees it; None for what it makes no flow of."""
    at = 12
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    if frame[at : at + 2] != b"\x08\x00":
        return None
    ip = frame[at + 2 :]
    if len(ip) < 20 or ip[0] >> 4 != 4:
        return None
    total, fragment = struct.unpack(">H2xH", ip[2:8])
    ihl = (ip[0] & 15) * 4
    total = min(total or 65536, wire - at - 2)
    base = Packet(time_ns - time_ns % 1000, ip[12:16], ip[16:20], frame_bytes=wire, ip_bytes=total)
    return _transport(profile, base, ip[9] if not fragment & 0x1FFF else 0, ip[ihl:], total - ihl)


def _transport(profile: Strict, base: Packet, proto: int, body: bytes, size: int) -> Packet:
    """Fill in the fourth layer; ``size`` is how long the IP header says that ``body`` is."""
    if proto == TCP and len(body) >= 20:
        src_port, dst_port, seq, ack, offset, flags, window = struct.unpack(">HHIIBBH", body[:16])
        header = (offset >> 4) * 4
        return replace(
            base,
            proto=TCP,
            src_port=src_port,
            dst_port=dst_port,
            header_bytes=header,
            payload_bytes=max(size - header, 0),
            flags=flags,
            window=window,
            seq=seq,
            ack=ack,
        )
    if proto == UDP and len(body) >= 8:
        src_port, dst_port = struct.unpack(">HH", body[:4])
        payload = max(size - 8, 0)
        return replace(
            base,
            proto=UDP,
            src_port=src_port,
            dst_port=dst_port,
            header_bytes=8,
            payload_bytes=payload,
        )
    if profile != "legacy" and proto == ICMP and len(body) >= 2:
        return replace(base, proto=ICMP, icmp_type=body[0], icmp_code=body[1])
    if profile == "fork" and proto == SCTP and len(body) >= 4:
        src_port, dst_port = struct.unpack(">HH", body[:4])
        return replace(base, proto=SCTP, src_port=src_port, dst_port=dst_port)
    if profile == "fork" and proto == IGMP:
        return replace(base, proto=IGMP)
    return base


def canonical_key(packet: Packet) -> Key:
    """The one name that both directions share in ``legacy``: addresses compared as signed bytes."""
    signed = [tuple(struct.unpack("4b", address)) for address in (packet.src, packet.dst)]
    return packet.key if signed[0] <= signed[1] else packet.reverse_key


def assemble_strict(profile: Strict, packets: Iterable[Packet], snapshot_pkts: int = 0) -> list[Flow]:
    """Return the flows of a packet stream under one version's rules, in the order in which they end.

    With ``snapshot_pkts`` a copy of a flow comes before them when that many packets are in it and it goes on.
    """
    rules = LegacyRules() if profile == "legacy" else CurrentRules(profile)
    for packet in packets:
        flow = rules.take(packet)
        if flow and len(flow.packets) == snapshot_pkts >= rules.least_pkts:
            rules.done.append(flow.snapshot())
    return rules.finish()


class LegacyRules:
    """First public version: a FIN ends the flow, 120 s from its start cuts it, one packet makes no row."""

    least_pkts = 2

    def __init__(self) -> None:
        self.live: dict[Key, Flow] = {}
        self.done: list[Flow] = []

    def take(self, packet: Packet) -> Flow | None:
        """Put a packet into the flow that it belongs to and return that, if it is open still."""
        key = canonical_key(packet)
        flow = self.live.get(key)
        if flow is None:
            self._start(Flow(key, *packet.key, one_name=True), packet)
        elif packet.time_ns - flow.start_ns > FLOW_TIMEOUT_NS:
            self._end(key, "active")
            self._start(flow.piece(), packet)
        elif packet.flags & FIN:
            flow.add(packet, watched=False)
            self._end(key, "fin")
        else:
            flow.add(packet)
        return self.live.get(key)

    def _start(self, flow: Flow, packet: Packet) -> None:
        """Open a flow; its first packet counts as forward whoever sent it."""
        flow.add(packet, forward=True)
        self.live[flow.key] = flow

    def _end(self, key: Key, reason: Reason) -> None:
        flow = self.live.pop(key)
        if len(flow.packets) >= self.least_pkts:
            flow.tell(reason)
            self.done.append(flow)

    def finish(self) -> list[Flow]:
        """End what is open and return every flow that makes a row."""
        for key in list(self.live):
            self._end(key, "shutdown")
        return self.done


class CurrentRules:
    """Corrected versions: FIN both ways and one more ACK, or RST, close a flow; a SYN or 120 s end it."""

    least_pkts = 1

    def __init__(self, profile: Strict) -> None:
        self.fork = profile == "fork"
        self.live: dict[Key, Flow] = {}
        self.done: list[Flow] = []

    def take(self, packet: Packet) -> Flow:
        """Put a packet into the flow that it belongs to and return that."""
        key = packet.key if packet.key in self.live else packet.reverse_key
        flow = self.live.get(key)
        if flow is None:
            answer = self.fork and is_answer(packet)
            return self._start(self._fresh(packet, packet.reverse_key if answer else packet.key), packet)
        if packet.time_ns - flow.start_ns > FLOW_TIMEOUT_NS:
            self._end(key, "active")
            return self._start(self._successor(flow, packet), packet)
        if flow.closed and packet.flags & SYN:
            self._end(key, "reuse")
            return self._start(self._successor(flow, packet), packet)
        if packet.proto == ICMP and self._other_icmp(flow, packet):
            self._end(key, "reuse")
            return self._start(self._fresh(packet, key), packet)
        flow.add(packet)
        close(flow, packet)
        return flow

    @staticmethod
    def _other_icmp(flow: Flow, packet: Packet) -> bool:
        """A new ICMP flow needs both another type and another code."""
        first = flow.packets[0]
        return packet.icmp_type != first.icmp_type and packet.icmp_code != first.icmp_code

    def _fresh(self, packet: Packet, key: Key) -> Flow:
        """A flow that owes nothing to an earlier one; in ``fork`` a SYN with ACK comes from the responder."""
        return Flow(key, *(packet.reverse_key if self.fork and is_answer(packet) else packet.key))

    def _successor(self, old: Flow, packet: Packet) -> Flow:
        """The flow that follows one cut by time or by a new SYN; it keeps the old one's name in either case."""
        gap_ns = packet.time_ns - old.last_ns
        if self.fork:
            reuse = old.closed and bool(packet.flags & SYN)
            dialogue = packet.proto == TCP or (packet.proto == UDP and gap_ns <= FLOW_TIMEOUT_NS)
        else:
            reuse = old.closed and packet.flags & (SYN | ACK) == SYN
            dialogue = packet.proto == TCP
        if reuse or not dialogue:
            return self._fresh(packet, old.key)
        flow = old.piece()
        flow.conn_ns = old.conn_ns + gap_ns
        flow.seen = old.seen
        return flow

    def _start(self, flow: Flow, packet: Packet) -> Flow:
        """Open a flow; a first FIN counts as one of its direction in ``fork`` only, a first RST never does."""
        flow.add(packet)
        if self.fork and packet.flags & FIN:
            flow.fins.add(flow.forward[0])
        self.live[flow.key] = flow
        return flow

    def _end(self, key: Key, reason: Reason) -> None:
        """Move a flow out; its own duration joins the connection's time."""
        flow = self.live.pop(key)
        flow.tell(reason)
        if flow.proto == TCP or (self.fork and flow.proto == UDP):
            flow.conn_ns += flow.last_ns - flow.start_ns
        self.done.append(flow)

    def finish(self) -> list[Flow]:
        """End what is open and return every flow."""
        for flow in self.live.values():
            flow.tell("shutdown")
        return [*self.done, *self.live.values()]


def is_answer(packet: Packet) -> bool:
    """Whether a packet is the second of a handshake."""
    return bool(packet.flags & SYN and packet.flags & ACK)


def close(flow: Flow, packet: Packet) -> None:
    """Move a connection towards its end; FIN is looked at before RST, RST before ACK."""
    if packet.proto != TCP or flow.closed:
        return
    if packet.flags & FIN:
        flow.fins.add(flow.forward[-1])
        if flow.state == "open":
            flow.state = "first fin"
        elif flow.state == "first fin" and len(flow.fins) == 2:
            flow.state = "second fin"
    elif packet.flags & RST:
        flow.state = "rst"
    elif packet.flags & ACK and flow.state == "second fin":
        flow.state = "fin"
