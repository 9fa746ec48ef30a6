"""The slow, obvious specification of the flow rules of the engine's own profile, ``wire``.

Differences from the strict profiles: VLAN ids, and for ICMP the pair of types and the code, are part of what tells
flows apart; later fragments belong to the flow of their first; a direction is an address and a port; a flow also ends
when nobody speaks for a while. When it was both idle for too long and too old, the time that ran out first is the
reason. By choice, a destination-unreachable message belongs to the flow that it quotes while that is open, and a SYN
like the first one goes on with a closed flow.

The clock is the time of every packet, also of one that is no flow's. The engine looks whose time is up at every
multiple of 2**28 ns that the clock passes, one after the other and as if it were just that time, at most 1023 of them
ahead; a flow is filed under the multiple after its deadline, behind those that were filed there before, and filed again
only when it is looked at, closed or cut. With packets in order this says only in which order flows leave; a packet that
comes late finds its flow there or gone by this rule. When the clock falls back by over an hour it starts anew, what was
filed keeps its place in the round of 1024 multiples, and what was known of hosts is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tests.sensor.flows.reference import (
    ACK,
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
from tests.sensor.flows.reference_context import Context
from tests.sensor.flows.reference_decode import Decoder

TICK_NS = 1 << 28
TICKS_AHEAD = 1023
HOUR_NS = 3_600_000_000_000


class Rules(Protocol):
    """What the rules need to know of a profile."""

    @property
    def same_syn_joins(self) -> bool: ...
    @property
    def icmp_errors_join(self) -> bool: ...
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
    @property
    def snapshot_pkts(self) -> int: ...
    @property
    def snapshot_closed(self) -> bool: ...
    @property
    def context(self) -> bool: ...
    @property
    def context_hosts(self) -> int: ...
    @property
    def context_pairs(self) -> int: ...


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
    filed: int = 0
    dormant: bool = False


class Table:
    """Idle and active timeouts, linger after FIN or RST, reuse by SYN, eviction at the cap."""

    def __init__(self, rules: Rules, max_flows: int = 1 << 20) -> None:
        self.rules = rules
        self.max_flows = max_flows
        self.live: dict[WireKey, Place] = {}
        self.done: list[Flow] = []
        self.clock_ns: int | None = None
        self.tick = 0
        self.number = 0
        self.filed = 0
        self.context = Context(rules.context_hosts, rules.context_pairs) if rules.context else None

    def take(self, packet: Packet) -> None:
        """Put a packet into the flow that it belongs to."""
        if self.rules.icmp_errors_join and packet.quoted and self._is_open(packet.quoted):
            packet = packet.quoted
        key = wire_key(packet)
        place = self.live.get(key)
        if place is None:
            self._start(key, packet)
            return
        flow = place.flow
        reuse = flow.closed and packet.flags & (SYN | ACK) == SYN
        if self.rules.same_syn_joins and flow.first_syn == packet.seq:
            reuse = False
        idle_ns = self._idle_ns(place)
        if idle_ns and packet.time_ns - flow.last_ns > idle_ns:
            self._end(key, self._first_up(place, idle_ns))
            self._start(key, packet)
        elif place.dormant or reuse or self._too_old(flow, packet.time_ns):
            goes_on = self._goes_on(flow, packet, reuse)
            if not place.dormant:
                reason: Reason = "active" if self._too_old(flow, packet.time_ns) else "reuse"
                self._report(flow, reason, last=not goes_on)
            elif not goes_on:
                self._end_untold(flow)
            self._succeed(place, packet, goes_on)
        else:
            flow.add(packet, forward=self._forward(flow, packet))
            before = flow.closed
            close(flow, packet)
            if flow.closed and not before:
                self._file(place)
            self._look_closely(flow, was_open=not before)

    def _is_open(self, packet: Packet) -> bool:
        """Whether a packet's flow is there and would go on with it."""
        place = self.live.get(wire_key(packet))
        if place is None or place.dormant or self._too_old(place.flow, packet.time_ns):
            return False
        idle_ns = self._idle_ns(place)
        return not idle_ns or packet.time_ns - place.flow.last_ns <= idle_ns

    def advance(self, now_ns: int) -> None:
        """Move the clock and end the flows whose time is up; a fall of over an hour sets it anew."""
        tick = now_ns // TICK_NS
        if self.clock_ns is None or now_ns < self.clock_ns - HOUR_NS:
            if self.context and self.clock_ns is not None:
                self.context.forget()
            self.clock_ns, self.tick = now_ns, tick
            for place in self.live.values():
                place.tick = tick + 1 + (place.tick - tick - 1) % (TICKS_AHEAD + 1)
            return
        self.clock_ns = max(self.clock_ns, now_ns)
        while due := [key for key, place in self.live.items() if place.tick <= tick]:
            first = min(due, key=lambda key: (self.live[key].tick, self.live[key].filed))
            self.tick = self.live[first].tick
            self._look(first, self.tick * TICK_NS)
        self.tick = max(self.tick, tick)

    def _look(self, key: WireKey, now_ns: int) -> None:
        place = self.live[key]
        idle_ns = self._idle_ns(place)
        if idle_ns and now_ns - place.flow.last_ns > idle_ns:
            self._end(key, self._first_up(place, idle_ns))
            return
        if not place.dormant and self._too_old(place.flow, now_ns):
            self._report(place.flow, "active", last=False)
            place.dormant = True
        self._file(place)

    def _file(self, place: Place) -> None:
        deadlines = []
        idle_ns = self._idle_ns(place)
        if idle_ns:
            deadlines.append(place.flow.last_ns + idle_ns)
        if self.rules.active_ns and not place.dormant:
            deadlines.append(place.flow.start_ns + self.rules.active_ns)
        tick = min(deadlines, default=1 << 62) // TICK_NS + 1
        place.tick = min(max(tick, self.tick + 1), self.tick + TICKS_AHEAD)
        self.filed += 1
        place.filed = self.filed

    def _idle_ns(self, place: Place) -> int:
        flow, rules = place.flow, self.rules
        both = len(set(flow.forward)) == 2
        if flow.closed:
            return rules.linger_ns
        if flow.proto == TCP:
            return rules.tcp_ns if both else rules.tcp_new_ns
        if flow.proto == UDP:
            return rules.udp_ns if both else rules.udp_new_ns
        return rules.icmp_ns if flow.packets[0].icmp_type >= 0 else rules.other_ns

    def _too_old(self, flow: Flow, now_ns: int) -> bool:
        return bool(self.rules.active_ns) and now_ns - flow.start_ns > self.rules.active_ns

    def _first_up(self, place: Place, idle_ns: int) -> Reason:
        """Why a flow that was idle for too long ended: it may have grown too old before that."""
        flow = place.flow
        active_ns = self.rules.active_ns
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
        flow = Flow(packet.key, *(packet.reverse_key if is_answer(packet) else packet.key))
        flow.first_syn = packet.seq if packet.flags & SYN else None
        return flow

    def _next_number(self) -> int:
        self.number += 1
        return self.number

    def _open(self, place: Place, packet: Packet) -> None:
        """Count a flow's first packet; its FIN or RST counts like any other's."""
        fresh = place.flow.connection.start_ns is None
        place.flow.add(packet, forward=self._forward(place.flow, packet))
        if fresh and self.context:
            self.context.begin(place.flow)
        place.dormant = False
        close(place.flow, packet)
        self._look_closely(place.flow, was_open=True)

    def _look_closely(self, flow: Flow, *, was_open: bool) -> None:
        """Report a copy of a flow that has the packets which make a snapshot, or has just closed."""
        just_closed = was_open and flow.closed and self.rules.snapshot_closed
        if just_closed or len(flow.packets) == self.rules.snapshot_pkts:
            copied = flow.snapshot()
            copied.conn_ns += self._own_ns(flow)
            if self.context:
                self.context.tell(copied, cut=False, last=False)
            self.done.append(copied)

    def _goes_on(self, old: Flow, packet: Packet, reuse: bool) -> bool:
        """Whether what follows on a flow's key is of the same connection."""
        dialogue = packet.proto == UDP and packet.time_ns - old.last_ns <= self.rules.active_ns
        return not reuse and (packet.proto == TCP or dialogue)

    def _succeed(self, place: Place, packet: Packet, goes_on: bool) -> None:
        """Begin the next flow of the same two ends, in the same roles where it goes on with the last."""
        old = place.flow
        if goes_on:
            place.flow = old.piece()
            place.flow.first_syn = old.first_syn
            place.flow.conn_ns = old.conn_ns + packet.time_ns - old.last_ns
        else:
            place.flow = self._fresh(packet)
        place.number = self._next_number()
        self._open(place, packet)
        self._file(place)

    def _report(self, flow: Flow, reason: Reason, *, last: bool) -> None:
        """Move a flow out; its own duration joins its connection's time, for TCP."""
        flow.tell(reason)
        flow.conn_ns += self._own_ns(flow)
        if self.context:
            self.context.tell(flow, cut=reason == "active", last=last)
        self.done.append(flow)

    def _end_untold(self, flow: Flow) -> None:
        """End a connection whose last piece was told without knowing that it was the last."""
        if self.context:
            self.context.end(flow)

    @staticmethod
    def _own_ns(flow: Flow) -> int:
        return flow.last_ns - flow.start_ns if flow.proto == TCP else 0

    def _end(self, key: WireKey, reason: Reason) -> None:
        place = self.live.pop(key)
        if place.dormant:
            self._end_untold(place.flow)
        else:
            self._report(place.flow, reason, last=True)

    def finish(self) -> list[Flow]:
        """End what is open, idle longest first, and return every flow."""
        for key in sorted(self.live, key=lambda k: (self.live[k].flow.last_ns, self.live[k].number)):
            self._end(key, self._reason(self.live[key].flow, "shutdown"))
        return self.done


def assemble_wire(rules: Rules, frames: Iterable[tuple[int, int, bytes]], max_flows: int = 1 << 20) -> list[Flow]:
    """Return the flows of (time in ns, length on the wire, Ethernet frame) records."""
    decoder = Decoder()
    table = Table(rules, max_flows)
    for time_ns, wire, frame in frames:
        packet = decoder.decode(time_ns, wire, frame)
        table.advance(time_ns - time_ns % 1000)
        if packet:
            table.take(packet)
    return table.finish()
