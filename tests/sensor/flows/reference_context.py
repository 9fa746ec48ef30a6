"""The slow, obvious specification of what a record tells of its hosts: every event is kept, every figure summed anew.

An entry of a host or of a pair is a list of what happened to it. Only what the engine must do to stay within bounds is
done here too: the entry that was updated longest ago leaves when there are too many, and distinct things are counted
by the 64 buckets that they fall into.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.sensor.flows.reference import TCP, Flow

SECOND_NS = 1_000_000_000
HALF_LIVES_S = (5, 60, 600)
SPANS_S = (60, 600)
BUCKETS = 64
NEWEST = 1 / 8
WORD = (1 << 64) - 1

Told = dict[str, float | tuple[float, ...]]


def mixed(x: int) -> int:
    """Return a word with every bit spread over it: Stafford's variant 13 of MurmurHash3's finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB & WORD
    return x ^ x >> 31


def folded(address: bytes) -> int:
    """Return an address as one word."""
    low, high = struct.unpack("<2Q", address.ljust(16, b"\0"))
    return mixed(low ^ mixed(high + 0x9E3779B97F4A7C15 & WORD))


def bucket(salt: int, item: int) -> int:
    """Return which of the 64 buckets a thing falls into."""
    return mixed(salt ^ item) >> 58


def damped(events: Iterable[tuple[int, float]], half_life_s: int, now_ns: int) -> float:
    """Return the sum of what events (time, weight) are worth by now."""
    return math.fsum(worth * 2 ** (-(now_ns - at) / SECOND_NS / half_life_s) for at, worth in events)


def distinct(hits: Iterable[tuple[int, int]], span_s: int, now_ns: int) -> float:
    """Estimate by linear counting (Whang et al., 1990) how many things were seen, from hits (second, bucket)."""
    filled = len({place for second, place in hits if now_ns // SECOND_NS - second <= span_s})
    return -BUCKETS * math.log(1 - min(filled, BUCKETS - 0.5) / BUCKETS)


def trend(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and coefficient of variation: plain for eight values, then the newest weighs 1/8."""
    if not values:
        return 0.0, 0.0
    first = min(len(values), round(1 / NEWEST))
    weights = [1 / first] * first
    for _ in values[first:]:
        weights = [*(weight * (1 - NEWEST) for weight in weights), NEWEST]
    mean = math.fsum(weight * value for weight, value in zip(weights, values, strict=True))
    variance = math.fsum(weight * (value - mean) ** 2 for weight, value in zip(weights, values, strict=True))
    return mean, math.sqrt(variance) / mean if len(values) > 1 and mean else 0.0


def seconds(begin_ns: int, end_ns: int) -> float:
    """Return the time between, 0 when it runs back."""
    return max(end_ns - begin_ns, 0) / SECOND_NS


@dataclass(slots=True)
class Entry:
    """What happened to a host in one role, or to a pair; bytes, gaps and ends are a pair's only."""

    latest_ns: int
    open: int = 0
    conns: list[tuple[int, float]] = field(default_factory=list)
    fails: list[tuple[int, float]] = field(default_factory=list)
    peers: list[tuple[int, int]] = field(default_factory=list)
    ports: list[tuple[int, int]] = field(default_factory=list)
    fwd_bytes: list[tuple[int, float]] = field(default_factory=list)
    bwd_bytes: list[tuple[int, float]] = field(default_factory=list)
    done: list[tuple[int, float]] = field(default_factory=list)
    begun_ns: int | None = None
    gaps: list[float] = field(default_factory=list)
    ends: list[tuple[float, float, float]] = field(default_factory=list)

    def begin(self, flow: Flow, peer: int | None, port: int) -> None:
        """Count the beginning of a connection."""
        second = flow.start_ns // SECOND_NS
        self.conns.append((flow.start_ns, 1))
        self.open += 1
        self.ports.append((second, port))
        if peer is not None:
            self.peers.append((second, peer))
        if self.begun_ns is not None:
            self.gaps.append(seconds(self.begun_ns, flow.start_ns))
        self.begun_ns = max(self.begun_ns or 0, flow.start_ns)

    def tell(self, name: str, end_ns: int) -> Told:
        """Return the figures that hosts and pairs share, as they are at the entry's latest time or the flow's end."""
        now_ns = max(self.latest_ns, end_ns)
        told: Told = {
            f"{name}_conns": tuple(damped(self.conns, h, now_ns) for h in HALF_LIVES_S),
            f"{name}_fails": tuple(damped(self.fails, h, now_ns) for h in HALF_LIVES_S),
            f"{name}_ports": tuple(distinct(self.ports, span, now_ns) for span in SPANS_S),
            f"{name}_open": float(self.open),
        }
        if name != "pair":
            return told | {f"{name}_peers": tuple(distinct(self.peers, span, now_ns) for span in SPANS_S)}
        for way, events in (("fwd", self.fwd_bytes), ("bwd", self.bwd_bytes)):
            told[f"pair_{way}_bytes"] = tuple(damped(events, h, now_ns) for h in HALF_LIVES_S[1:])
        told["pair_done"] = damped(self.done, HALF_LIVES_S[2], now_ns)
        told["pair_gap_mean"], told["pair_gap_cv"] = trend(self.gaps)
        for place, what in enumerate(("fwd", "bwd", "time")):
            told[f"pair_{what}_mean"], told[f"pair_{what}_cv"] = trend([one[place] for one in self.ends])
        return told


class Memory:
    """Entries by name; the one updated longest ago makes room."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.entries: dict[object, Entry] = {}
        self.forgotten = 0

    def update(self, name: object, now_ns: int, *, new: bool = False) -> Entry | None:
        """Return an entry as the one updated last; None where there is none and none is to be made."""
        entry = self.entries.pop(name, None)
        if entry is None and new:
            if len(self.entries) >= self.most:
                del self.entries[next(iter(self.entries))]
                self.forgotten += 1
            entry = Entry(now_ns)
        if entry is not None:
            entry.latest_ns = max(entry.latest_ns, now_ns)
            self.entries[name] = entry
        return entry


class Context:
    """Initiators, responders and pairs, and the two events of every connection."""

    def __init__(self, hosts: int, pairs: int) -> None:
        self.src, self.dst, self.pair = Memory(hosts), Memory(hosts), Memory(pairs)
        self.era = 0

    @property
    def forgotten(self) -> int:
        """How many entries had to make room."""
        return self.src.forgotten + self.dst.forgotten + self.pair.forgotten

    def forget(self) -> None:
        """Know nothing: connections that are open by now will end without being counted."""
        self.era += 1
        for memory in (self.src, self.dst, self.pair):
            memory.entries.clear()

    def begin(self, flow: Flow) -> None:
        """Count the beginning of a connection whose first packet is in `flow`."""
        flow.connection.era = self.era
        a, b, port = folded(flow.src), folded(flow.dst), mixed(flow.dst_port + 1)
        for memory, name, salt, peer in (
            (self.src, flow.src, a, b),
            (self.dst, flow.dst, b, a),
            (self.pair, (flow.src, flow.dst), mixed(a + 3 * b & WORD), None),
        ):
            entry = memory.update(name, flow.start_ns, new=True)
            assert entry
            entry.begin(flow, None if peer is None else bucket(salt, peer), bucket(salt, port))

    def tell(self, flow: Flow, *, cut: bool, last: bool) -> None:
        """Count what a record brings and note in it what is known; `cut`: a piece that goes on, `last`: the end."""
        flow.context = {}
        if flow.connection.era != self.era:
            return
        if (cut or last or flow.closed) and not flow.connection.ended:
            self._piece(flow)
            if last or flow.closed:
                self.end(flow)
        names = (("src", flow.src), ("dst", flow.dst), ("pair", (flow.src, flow.dst)))
        for (role, name), memory in zip(names, (self.src, self.dst, self.pair), strict=True):
            if name in memory.entries:
                flow.context |= memory.entries[name].tell(role, flow.last_ns)

    def _piece(self, flow: Flow) -> None:
        """Count the bytes of a piece."""
        fwd, bwd = payloads(flow)
        flow.connection.pieces.append((fwd, bwd, flow.forward.count(False)))
        pair = self.pair.update((flow.src, flow.dst), flow.last_ns)
        if pair:
            pair.fwd_bytes.append((flow.last_ns, fwd))
            pair.bwd_bytes.append((flow.last_ns, bwd))

    def end(self, flow: Flow) -> None:
        """Count the end of a connection, its last piece being `flow`, unless that was done."""
        connection = flow.connection
        if connection.ended or connection.era != self.era:
            return
        connection.ended = True
        fwd, bwd, answers = (sum(column) for column in zip(*connection.pieces, strict=True))
        failed = not bwd if flow.proto == TCP else not answers
        entries = [
            self.src.update(flow.src, flow.last_ns),
            self.dst.update(flow.dst, flow.last_ns),
            self.pair.update((flow.src, flow.dst), flow.last_ns),
        ]
        for entry in entries:
            if entry:
                entry.open = max(entry.open - 1, 0)
                entry.fails += [(flow.last_ns, 1)] * failed
        if pair := entries[2]:
            pair.done.append((flow.last_ns, 1))
            pair.ends.append((fwd, bwd, seconds(connection.start_ns or 0, flow.last_ns)))


def payloads(flow: Flow) -> tuple[int, int]:
    """Return the payload bytes of both directions."""
    ahead = sum(p.payload_bytes for p, forward in zip(flow.packets, flow.forward, strict=True) if forward)
    return ahead, sum(p.payload_bytes for p in flow.packets) - ahead
