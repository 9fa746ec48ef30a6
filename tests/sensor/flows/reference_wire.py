"""The slow, obvious specification of the flow engine's own profile, ``wire``.

Differences from the strict profiles: IPv6 and every protocol by its number; VLAN ids, and for ICMP the pair of types
and the code, are part of what tells flows apart; later fragments belong to the flow of their first; a direction is an
address and a port; a flow also ends when nobody speaks for a while. When it was both idle for too long and too old,
the time that ran out first is the reason.

The clock is the time of every packet, also of one that is no flow's. The engine looks whose time is up whenever the
clock passes a multiple of 2**28 ns, at most 1023 of them ahead; a flow is filed under the multiple after its deadline,
and filed again only when it is looked at, closed or cut. With packets in order this changes nothing; a packet that
comes late finds its flow there or gone by this rule. When the clock falls back by over an hour it starts anew, and
what was filed keeps its place in the round of 1024 multiples.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.sensor.flows.reference import (
    ACK,
    ICMP,
    SCTP,
    SYN,
    TCP,
    UDP,
    Flow,
    Key,
    Packet,
    Reason,
    close,
    is_answer,
)

ICMP6 = 58
TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00")
EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)
FRAGMENT_NS = 30_000_000_000
TICK_NS = 1 << 28
TICKS_AHEAD = 1023
HOUR_NS = 3_600_000_000_000
# Reply types by the request that they answer: echo, router, timestamp, information, mask; and ICMPv6.
REQUEST = {0: 8, 9: 10, 14: 13, 16: 15, 18: 17}
REQUEST6 = {129: 128, 134: 133, 136: 135, 140: 139, 145: 144, 147: 146}


class Timeouts(Protocol):
    """What the rules need to know of a profile."""

    @property
    def active_ns(self) -> int: ...
    @property
    def linger_ns(self) -> int: ...
    @property
    def tcp_new_ns(self) -> int: ...
    @property
    def tcp_ns(self) -> int: ...
    @property
    def udp_new_ns(self) -> int: ...
    @property
    def udp_ns(self) -> int: ...
    @property
    def icmp_ns(self) -> int: ...
    @property
    def other_ns(self) -> int: ...


FragmentName = tuple[bytes, bytes, int, int, tuple[int, ...]]


@dataclass(slots=True)
class Decoder:
    """Turns frames into packets; remembers the first fragments of datagrams."""

    firsts: dict[FragmentName, Packet] = field(default_factory=dict)

    def decode(self, time_ns: int, wire: int, frame: bytes) -> Packet | None:
        """Decode an Ethernet frame; None for what belongs to no flow."""
        at = 12
        vlans: list[int] = []
        while frame[at : at + 2] in TAGS:
            vlans.append(int.from_bytes(frame[at + 2 : at + 4], "big") & 0x0FFF)
            at += 4
        kind = frame[at : at + 2]
        at += 2
        time_ns -= time_ns % 1000
        base = Packet(time_ns, b"", b"", frame_bytes=wire, vlans=tuple(vlans[:2]))
        if kind == b"\x08\x00" and len(frame) >= at + 20 and frame[at] >> 4 == 4:
            return self._ipv4(base, frame, at)
        if kind == b"\x86\xdd" and len(frame) >= at + 40 and frame[at] >> 4 == 6:
            return self._ipv6(base, frame, at)
        return None

    def _ipv4(self, base: Packet, frame: bytes, at: int) -> Packet | None:
        ihl = (frame[at] & 15) * 4
        total, identity, fragment = struct.unpack(">HHH", frame[at + 2 : at + 8])
        if total == 0 or at + total > base.frame_bytes:
            total = base.frame_bytes - at
        if ihl < 20 or total < ihl:
            return None
        base = replace(base, src=frame[at + 12 : at + 16], dst=frame[at + 16 : at + 20], ip_bytes=total)
        body = frame[at + ihl :]
        offset, more = fragment & 0x1FFF, bool(fragment & 0x2000)
        return self._fragment(base, frame[at + 9], body, total - ihl, (offset, more, identity))

    def _ipv6(self, base: Packet, frame: bytes, at: int) -> Packet | None:
        rest = int.from_bytes(frame[at + 4 : at + 6], "big")
        if rest == 0 or at + 40 + rest > base.frame_bytes:
            rest = base.frame_bytes - at - 40
        base = replace(
            base,
            src=frame[at + 8 : at + 24],
            dst=frame[at + 24 : at + 40],
            ip_bytes=rest + 40,
            ip_version=6,
        )
        proto = frame[at + 6]
        at += 40
        offset, more, identity = 0, False, 0
        while proto in EXTENSIONS and not offset:
            if len(frame) < at + (8 if proto == 44 else 2):
                return None
            size = {44: 8, 51: (frame[at + 1] + 2) * 4}.get(proto, (frame[at + 1] + 1) * 8)
            if proto == 44:
                word, identity = struct.unpack(">HI", frame[at + 2 : at + 8])
                offset, more = word >> 3, bool(word & 1)
            if size > rest:
                return None
            proto = frame[at]
            at += size
            rest -= size
        return self._fragment(base, proto, frame[at:], rest, (offset, more, identity))

    def _fragment(self, base: Packet, proto: int, body: bytes, rest: int, part: tuple[int, bool, int]) -> Packet | None:
        """Give a later fragment the ports of its first; decode everything else."""
        offset, more, identity = part
        name = (base.src, base.dst, proto, identity, base.vlans[:1])
        if not offset:
            packet = transport(base, proto, body, rest, more)
            if packet and more:
                self.firsts[name] = packet
            return packet
        payload = rest if proto in (TCP, UDP) else 0
        first = self.firsts.get(name)
        if first is None or base.time_ns - first.time_ns > FRAGMENT_NS:
            return replace(base, proto=proto, payload_bytes=payload, orphan=True)
        return replace(
            base,
            proto=proto,
            payload_bytes=payload,
            src_port=first.src_port,
            dst_port=first.dst_port,
            icmp_key=first.icmp_key,
        )


def transport(base: Packet, proto: int, body: bytes, rest: int, more: bool) -> Packet | None:
    """Fill in the fourth layer of a whole datagram or a first fragment; None when it is broken or cut."""
    if proto == TCP:
        if len(body) < 16 or (rest < 20 and not more):
            return None
        src_port, dst_port, seq, ack, offset, flags, window = struct.unpack(">HHIIBBH", body[:16])
        header = (offset >> 4) * 4
        if header < 20 or (header > rest and not more):
            return None
        return replace(
            base,
            proto=TCP,
            src_port=src_port,
            dst_port=dst_port,
            header_bytes=header,
            payload_bytes=max(rest - header, 0),
            flags=flags,
            window=window,
            seq=seq,
            ack=ack,
        )
    if proto == UDP:
        if len(body) < 4 or rest < 8:
            return None
        ports = struct.unpack(">HH", body[:4])
        return replace(
            base,
            proto=UDP,
            src_port=ports[0],
            dst_port=ports[1],
            header_bytes=8,
            payload_bytes=rest - 8,
        )
    if proto == SCTP:
        if len(body) < 4 or rest < 12:
            return None
        ports = struct.unpack(">HH", body[:4])
        return replace(base, proto=SCTP, src_port=ports[0], dst_port=ports[1])
    if proto == (ICMP if base.ip_version == 4 else ICMP6):
        if len(body) < 2 or rest < 2:
            return None
        request = (REQUEST if proto == ICMP else REQUEST6).get(body[0], body[0])
        return replace(
            base,
            proto=proto,
            icmp_type=body[0],
            icmp_code=body[1],
            icmp_key=(request, body[1]),
        )
    return replace(base, proto=proto)


WireKey = tuple[Key, int, tuple[int, ...], tuple[int, int], bool]


def wire_key(packet: Packet) -> WireKey:
    """What both directions of a flow share."""
    ends = min(packet.key, packet.reverse_key)
    return (ends, packet.ip_version, packet.vlans, packet.icmp_key, packet.orphan)


@dataclass(slots=True)
class Place:
    """A flow's place in the table: the flow, when it is looked at, whether it waits only to keep its roles."""

    flow: Flow
    number: int
    tick: int = 0
    dormant: bool = False


class WireRules:
    """Idle and active timeouts, linger after FIN or RST, reuse by SYN, eviction at the cap."""

    def __init__(self, times: Timeouts, max_flows: int = 1 << 20) -> None:
        self.times = times
        self.max_flows = max_flows
        self.live: dict[WireKey, Place] = {}
        self.done: list[Flow] = []
        self.clock_ns: int | None = None
        self.tick = 0
        self.number = 0

    def take(self, packet: Packet) -> None:
        """Put a packet into the flow that it belongs to."""
        key = wire_key(packet)
        place = self.live.get(key)
        if place is None:
            self._start(key, packet)
            return
        flow = place.flow
        reuse = flow.closed and packet.flags & (SYN | ACK) == SYN
        idle_ns = self._idle_ns(place)
        if idle_ns and packet.time_ns - flow.last_ns > idle_ns:
            self._end(key, self._first_up(place, idle_ns))
            self._start(key, packet)
        elif place.dormant or reuse or self._too_old(flow, packet.time_ns):
            if not place.dormant:
                self._report(flow, "active" if self._too_old(flow, packet.time_ns) else "reuse")
            self._succeed(place, packet, reuse)
        else:
            flow.add(packet, forward=self._forward(flow, packet))
            before = flow.closed
            close(flow, packet)
            if flow.closed and not before:
                self._file(place)

    def advance(self, now_ns: int) -> None:
        """Move the clock and end the flows whose time is up; a fall of over an hour sets it anew."""
        tick = now_ns // TICK_NS
        if self.clock_ns is None or now_ns < self.clock_ns - HOUR_NS:
            self.clock_ns, self.tick = now_ns, tick
            for place in self.live.values():
                place.tick = tick + 1 + (place.tick - tick - 1) % (TICKS_AHEAD + 1)
            return
        self.clock_ns = max(self.clock_ns, now_ns)
        if tick <= self.tick:
            return
        self.tick = tick
        due = [key for key, place in self.live.items() if place.tick <= tick]
        for key in sorted(due, key=lambda key: self.live[key].tick):
            self._look(key, now_ns)

    def _look(self, key: WireKey, now_ns: int) -> None:
        place = self.live[key]
        idle_ns = self._idle_ns(place)
        if idle_ns and now_ns - place.flow.last_ns > idle_ns:
            self._end(key, self._first_up(place, idle_ns))
            return
        if not place.dormant and self._too_old(place.flow, now_ns):
            self._report(place.flow, "active")
            place.dormant = True
        self._file(place)

    def _file(self, place: Place) -> None:
        deadlines = []
        idle_ns = self._idle_ns(place)
        if idle_ns:
            deadlines.append(place.flow.last_ns + idle_ns)
        if self.times.active_ns and not place.dormant:
            deadlines.append(place.flow.start_ns + self.times.active_ns)
        tick = min(deadlines, default=1 << 62) // TICK_NS + 1
        place.tick = min(max(tick, self.tick + 1), self.tick + TICKS_AHEAD)

    def _idle_ns(self, place: Place) -> int:
        flow, times = place.flow, self.times
        both = len(set(flow.forward)) == 2
        if flow.closed:
            return times.linger_ns
        if flow.proto == TCP:
            return times.tcp_ns if both else times.tcp_new_ns
        if flow.proto == UDP:
            return times.udp_ns if both else times.udp_new_ns
        return times.icmp_ns if flow.packets[0].icmp_type >= 0 else times.other_ns

    def _too_old(self, flow: Flow, now_ns: int) -> bool:
        return bool(self.times.active_ns) and now_ns - flow.start_ns > self.times.active_ns

    def _first_up(self, place: Place, idle_ns: int) -> Reason:
        """Why a flow that was idle for too long ended: it may have grown too old before that."""
        flow = place.flow
        active_ns = self.times.active_ns
        if active_ns and flow.start_ns + active_ns < flow.last_ns + idle_ns:
            return "active"
        return self._reason(flow, "idle")

    @staticmethod
    def _forward(flow: Flow, packet: Packet) -> bool:
        return (packet.src, packet.src_port) == (flow.src, flow.src_port)

    @staticmethod
    def _reason(flow: Flow, otherwise: Reason) -> Reason:
        return flow.state if flow.state in ("fin", "rst") else otherwise

    def _start(self, key: WireKey, packet: Packet) -> None:
        if len(self.live) >= self.max_flows:
            idlest = min(self.live, key=lambda k: (self.live[k].flow.last_ns, self.live[k].number))
            self._end(idlest, "evicted")
        place = Place(self._fresh(packet), self._next_number())
        self._open(place, packet)
        self.live[key] = place
        self._file(place)

    @staticmethod
    def _fresh(packet: Packet) -> Flow:
        return Flow(packet.key, *(packet.reverse_key if is_answer(packet) else packet.key))

    def _next_number(self) -> int:
        self.number += 1
        return self.number

    def _open(self, place: Place, packet: Packet) -> None:
        """Count a flow's first packet; its FIN or RST counts like any other's."""
        place.flow.add(packet, forward=self._forward(place.flow, packet))
        place.dormant = False
        close(place.flow, packet)

    def _succeed(self, place: Place, packet: Packet, reuse: bool) -> None:
        """Begin the next flow of the same two ends, in the same roles where it goes on with the last."""
        old = place.flow
        gap_ns = packet.time_ns - old.last_ns
        dialogue = packet.proto == UDP and gap_ns <= self.times.active_ns
        if not reuse and (packet.proto == TCP or dialogue):
            place.flow = old.piece()
            place.flow.conn_ns = old.conn_ns + gap_ns
        else:
            place.flow = self._fresh(packet)
        place.number = self._next_number()
        self._open(place, packet)
        self._file(place)

    def _report(self, flow: Flow, reason: Reason) -> None:
        """Move a flow out; its own duration joins its connection's time, for TCP."""
        flow.reason = reason
        if flow.proto == TCP:
            flow.conn_ns += flow.last_ns - flow.start_ns
        self.done.append(flow)

    def _end(self, key: WireKey, reason: Reason) -> None:
        place = self.live.pop(key)
        if not place.dormant:
            self._report(place.flow, reason)

    def finish(self) -> list[Flow]:
        """End what is open and return every flow."""
        for key in list(self.live):
            self._end(key, self._reason(self.live[key].flow, "shutdown"))
        return self.done


def assemble_wire(times: Timeouts, frames: Iterable[tuple[int, int, bytes]], max_flows: int = 1 << 20) -> list[Flow]:
    """Return the flows of (time in ns, length on the wire, Ethernet frame) records."""
    decoder = Decoder()
    rules = WireRules(times, max_flows)
    for time_ns, wire, frame in frames:
        packet = decoder.decode(time_ns, wire, frame)
        rules.advance(time_ns - time_ns % 1000)
        if packet:
            rules.take(packet)
    return rules.finish()
