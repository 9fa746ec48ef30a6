"""Packet streams for property tests: few hosts and ports, so that packets meet; every odd thing a wire does."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hypothesis import strategies as st

from tests.sensor.flows.reference import ACK, FIN, PSH, RST, SYN, URG

Kind = Literal["tcp", "udp", "icmp", "sctp", "gre", "igmp", "arp", "bad tcp", "short udp"]
NUMBER = {"tcp": 6, "udp": 17, "sctp": 132, "gre": 47, "igmp": 2, "bad tcp": 6, "short udp": 17}
BEGIN_US = 1_600_000_000_000_000
SECOND_US = 1_000_000
# The third differs from the second in a byte above 127, which the legacy names compare as negative.
HOSTS = (b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02", b"\xc0\xa8\x00\x02")
HOSTS6 = tuple(bytes.fromhex("20010db8") + host.rjust(12, b"\0") for host in HOSTS)
PORTS = (53, 443, 40000)
NO_TAGS: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet of a stream, before it is bytes; `gap_us` after the packet before it."""

    gap_us: int
    kind: Kind = "tcp"
    ends: tuple[int, int] = (0, 1)
    ports: tuple[int, int] = (40000, 443)
    flags: int = 0
    size: int = 0
    window: int = 1000
    numbers: tuple[int, int] = (0, 0)
    options: int = 0
    icmp: tuple[int, int] = (8, 0)
    version: int = 4
    tags: tuple[int, ...] = NO_TAGS
    fragment: Literal["whole", "first", "later"] = "whole"
    extension: bool = False
    claim: Literal["right", "zero", "too much"] = "right"
    padding: int = 0
    snap: int = 65535
    quote: Kind | None = None


def transport(sent: Sent) -> bytes:
    """Return the fourth layer of a packet with its payload."""
    payload = bytes(sent.size)
    if sent.fragment == "later":
        return payload
    if sent.kind in ("tcp", "bad tcp"):
        words = 4 if sent.kind == "bad tcp" else 5 + sent.options
        fixed = struct.pack(">HHIIBBHHH", *sent.ports, *sent.numbers, words << 4, sent.flags, sent.window, 0, 0)
        return fixed + bytes(4 * sent.options) + payload
    if sent.kind == "udp":
        return struct.pack(">HHHH", *sent.ports, 8 + sent.size, 0) + payload
    if sent.kind == "icmp":
        if sent.quote:
            swapped = replace(sent, kind=sent.quote, ends=sent.ends[::-1], quote=None, fragment="whole")
            payload = network(replace(swapped, extension=False))
        return struct.pack(">BBHI", *sent.icmp, 0, 0) + payload
    if sent.kind == "sctp":
        return struct.pack(">HHII", *sent.ports, 0, 0) + payload
    return bytes(4) if sent.kind == "short udp" else payload


def network(sent: Sent) -> bytes:
    """Return a packet from its IP header on."""
    body = transport(sent)
    identity = sent.numbers[0] & 3
    src, dst = ((HOSTS6 if sent.version == 6 else HOSTS)[end] for end in sent.ends)
    if sent.version == 4:
        number = NUMBER.get(sent.kind, 1)
        fragment = {"whole": 0, "first": 0x2000, "later": 0x0064}[sent.fragment]
        length = {"right": 20 + len(body), "zero": 0, "too much": 1500}[sent.claim]
        return struct.pack(">BBHHHBBH", 0x45, 0, length, identity, fragment, 64, number, 0) + src + dst + body
    number = NUMBER.get(sent.kind, 58)
    if sent.fragment != "whole":
        offset = 1 if sent.fragment == "first" else 0x0320
        body = struct.pack(">BBHI", number, 0, offset, identity) + body
        number = 44
    if sent.extension:
        body = struct.pack(">BB6x", number, 0) + body
        number = 0
    length = {"right": len(body), "zero": 0, "too much": 1500}[sent.claim]
    return struct.pack(">IHBB", 6 << 28, length, number, 64) + src + dst + body


def frame(sent: Sent) -> bytes:
    """Return a packet as an Ethernet frame."""
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in sent.tags)
    if sent.kind == "arp":
        return bytes(12) + tags + b"\x08\x06" + bytes(28)
    kind = b"\x08\x00" if sent.version == 4 else b"\x86\xdd"
    return bytes(12) + tags + kind + network(sent) + bytes(sent.padding)


Records = list[tuple[int, int, bytes]]


def records(stream: Sequence[Sent]) -> Records:
    """Return (time in ns, length on the wire, captured bytes) of each packet."""
    made: Records = []
    time_us = BEGIN_US
    for number, sent in enumerate(stream):
        time_us = max(time_us + sent.gap_us, 0)
        whole = frame(sent)
        made.append((time_us * 1000 + number % 1000, len(whole), whole[: sent.snap]))
    return made


def pcap(made: Records, order: Literal["<", ">"] = "<") -> bytes:
    """Return a classic capture of Ethernet frames with nanoseconds."""
    head = struct.pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    return head + b"".join(
        struct.pack(f"{order}IIII", *divmod(time_ns, 10**9), len(held), wire) + held for time_ns, wire, held in made
    )


def pcapng(made: Records, order: Literal["<", ">"] = "<") -> bytes:
    """Return the same as pcapng: one section, one interface with nanoseconds, enhanced packet blocks."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)

    option = struct.pack(f"{order}HHB3xHH", 9, 1, 9, 0, 0)
    told = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    told += block(1, struct.pack(f"{order}HHI", 1, 0, 65535) + option)
    for time_ns, wire, held in made:
        told += block(6, struct.pack(f"{order}IIIII", 0, *divmod(time_ns, 2**32), len(held), wire) + held)
    return told


FORWARD_GAPS_US = st.one_of(
    st.just(0),
    st.integers(0, 50_000),
    st.sampled_from((1, SECOND_US, SECOND_US + 1, 5 * SECOND_US, 5 * SECOND_US + 1)),
    st.sampled_from((30, 31, 60, 61, 119, 120, 121, 400)).map(lambda seconds: seconds * SECOND_US),
    st.integers(0, 130 * SECOND_US),
)
GAPS_US = st.one_of(
    FORWARD_GAPS_US,
    FORWARD_GAPS_US,
    FORWARD_GAPS_US,
    st.integers(-10 * SECOND_US, -1),
    st.sampled_from((-200 * SECOND_US, -3_599 * SECOND_US, -3_700 * SECOND_US)),
)
FLAGS = st.one_of(
    st.sampled_from((SYN, SYN | ACK, ACK, PSH | ACK, FIN, FIN | ACK, RST, RST | ACK, URG | ACK, 0)),
    st.integers(0, 255),
)
SIZES = st.one_of(st.just(0), st.integers(0, 40), st.sampled_from((1, 100, 1400)))
ICMP = st.sampled_from(((8, 0), (0, 0), (3, 1), (3, 3), (11, 0), (13, 0), (14, 0), (128, 0), (129, 0), (1, 4)))
KINDS: st.SearchStrategy[Kind] = st.sampled_from(
    ("tcp", "tcp", "tcp", "tcp", "udp", "udp", "icmp", "sctp", "gre", "igmp", "arp")
)


def packets(gaps_us: st.SearchStrategy[int] = GAPS_US, *, odd: bool = True) -> st.SearchStrategy[Sent]:
    """Any one packet; `odd` adds IPv6, tags, fragments, wrong lengths, padding and cut captures."""
    plain = {
        "gap_us": gaps_us,
        "ends": st.sampled_from(((0, 1), (1, 0), (0, 1), (1, 0), (1, 2), (2, 1), (0, 0))),
        "ports": st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)),
        "flags": FLAGS,
        "size": SIZES,
        "window": st.sampled_from((0, 1, 512, 65535)),
        "numbers": st.tuples(st.integers(0, 3), st.integers(0, 1)),
        "options": st.sampled_from((0, 0, 3, 10)),
        "icmp": ICMP,
        "quote": st.sampled_from((None, "tcp", "udp", "udp", "icmp", "gre")),
    }
    if not odd:
        return st.builds(Sent, kind=KINDS, **plain)
    every: st.SearchStrategy[Kind] = st.one_of(KINDS, st.sampled_from(("bad tcp", "short udp")))
    return st.builds(
        Sent,
        kind=every,
        version=st.sampled_from((4, 4, 6)),
        tags=st.sampled_from((NO_TAGS, NO_TAGS, (7,), (8,), (7, 8), (7, 8, 9))),
        fragment=st.sampled_from(("whole", "whole", "whole", "first", "later")),
        extension=st.booleans(),
        claim=st.sampled_from(("right", "right", "right", "zero", "too much")),
        padding=st.sampled_from((0, 0, 6, 18)),
        snap=st.sampled_from((65535, 65535, 96, 60, 40)),
        **plain,
    )


def conversation(gaps_us: st.SearchStrategy[int] = GAPS_US) -> st.SearchStrategy[Sent]:
    """A TCP packet between one pair of ends, either way: streams of these reach every closing state."""
    ways = ((0, 1), (40000, 443)), ((1, 0), (443, 40000))
    return st.builds(
        lambda way, **rest: Sent(ends=way[0], ports=way[1], **rest),
        st.sampled_from(ways),
        gap_us=gaps_us,
        flags=FLAGS,
        size=SIZES,
        window=st.sampled_from((0, 512)),
        numbers=st.tuples(st.integers(0, 3), st.integers(0, 1)),
    )


# What the two ends of a connection do, as (who: 0 the initiator, flags) in order.
BLOCKS: tuple[tuple[tuple[int, int], ...], ...] = (
    ((0, SYN), (1, SYN | ACK), (0, ACK)),
    ((1, SYN | ACK), (0, ACK)),
    ((0, SYN), (1, RST | ACK)),
    ((0, SYN),),
    ((1, SYN),),
    ((0, PSH | ACK), (1, PSH | ACK)),
    ((0, PSH | ACK),) * 5,
    ((1, PSH | ACK),) * 4,
    ((0, FIN | ACK), (1, FIN | ACK), (0, ACK)),
    ((1, FIN | ACK), (0, ACK), (0, FIN | ACK), (1, ACK)),
    ((0, FIN | ACK), (0, FIN | ACK), (1, ACK)),
    ((0, RST),),
    ((1, RST | ACK), (1, RST | ACK)),
    ((1, ACK),),
)


@st.composite
def connections(draw: st.DrawFn, gaps_us: st.SearchStrategy[int] = GAPS_US) -> list[Sent]:
    """One pair of ends that open, talk, close and open again, with silences and late packets between."""
    ways = ((0, 1), (40000, 443)), ((1, 0), (443, 40000))
    made = []
    for block in draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=12)):
        silence = draw(gaps_us)
        for who, flags in block:
            size = draw(st.sampled_from((1, 100, 1400))) if flags & PSH else 0
            ends, ports = ways[who]
            made.append(Sent(silence, ends=ends, ports=ports, flags=flags, size=size, window=512 * who))
            silence = draw(st.integers(0, 50_000))
    return made


@st.composite
def streams(draw: st.DrawFn, gaps_us: st.SearchStrategy[int] = GAPS_US, *, odd: bool = True) -> list[Sent]:
    """Streams of some 60 packets: of anything, of one pair of ends, or both; some packets sent twice or moved."""
    anything = st.lists(packets(gaps_us, odd=odd), max_size=40)
    one = st.one_of(connections(gaps_us), st.lists(conversation(gaps_us), max_size=30))
    stream: list[Sent] = draw(st.one_of(anything, one, st.builds(list.__add__, one, anything)))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 4)))):
        if stream:
            copied = stream[draw(st.integers(0, len(stream) - 1))]
            stream.insert(draw(st.integers(0, len(stream))), copied)
    return stream


def tcp(gap_s: float, who: int, flags: int, size: int = 0) -> Sent:
    """A packet of one TCP connection; `who` is 0 for the end that the test calls the initiator."""
    ends, ports = (((0, 1), (40000, 443)), ((1, 0), (443, 40000)))[who]
    return Sent(round(gap_s * SECOND_US), ends=ends, ports=ports, flags=flags, size=size)


def udp(gap_s: float, who: int, size: int = 10, port: int = 40000) -> Sent:
    """A packet of one UDP dialogue."""
    ends, ports = (((0, 1), (port, 53)), ((1, 0), (53, port)))[who]
    return Sent(round(gap_s * SECOND_US), "udp", ends, ports, size=size)


def icmp(gap_s: float, who: int, kind: int, code: int) -> Sent:
    """An ICMP packet between two hosts."""
    return Sent(round(gap_s * SECOND_US), "icmp", ((0, 1), (1, 0))[who], icmp=(kind, code))


def error(gap_s: float, who: int, quoted: Kind, kind: int = 3) -> Sent:
    """An ICMP error about a packet that went the other way, over the ends of `tcp` and `udp`."""
    ports = (40000, 443 if quoted == "tcp" else 53)
    ends = ((0, 1), (1, 0))[who]
    return Sent(
        round(gap_s * SECOND_US),
        "icmp",
        ends,
        ports if who else (ports[1], ports[0]),
        icmp=(kind, 3),
        quote=quoted,
    )


def part(gap_s: float, kind: Kind, which: Literal["first", "later"], version: int = 4) -> Sent:
    """A fragment; all that one test makes are of one datagram."""
    return Sent(round(gap_s * SECOND_US), kind, size=400, fragment=which, version=version)


OPEN = [tcp(0, 0, SYN), tcp(0.01, 1, SYN | ACK), tcp(0.01, 0, ACK)]
CLOSE = [tcp(0.1, 0, FIN | ACK), tcp(0.01, 1, FIN | ACK), tcp(0.01, 0, ACK)]
KNOWN: dict[str, list[Sent]] = {
    "a whole connection": [*OPEN, tcp(1, 0, PSH | ACK, 100), tcp(1, 1, PSH | ACK, 900), *CLOSE],
    "one packet": [tcp(0, 0, SYN)],
    "all at one time": [tcp(0, 0, SYN), tcp(0, 1, SYN | ACK), tcp(0, 0, PSH | ACK, 5)],
    "the answer comes first": [tcp(0, 1, SYN | ACK), tcp(0.1, 0, ACK), tcp(0.1, 1, PSH | ACK, 9)],
    "stragglers after the end": [*OPEN, *CLOSE, tcp(0.1, 1, ACK), tcp(4, 0, ACK), tcp(6, 1, ACK)],
    "the port is used again": [*OPEN, *CLOSE, *OPEN, *CLOSE],
    "the port is used again by the other end": [*OPEN, *CLOSE, tcp(1, 1, SYN), tcp(1, 0, SYN | ACK)],
    "closed, then only the answer is seen": [*OPEN, *CLOSE, tcp(1, 1, SYN | ACK), tcp(1, 0, ACK)],
    "closed, then silence, then a SYN": [*OPEN, *CLOSE, tcp(121, 1, SYN), tcp(1, 0, ACK)],
    "refused again and again": [tcp(0, 0, SYN), tcp(0, 1, RST | ACK), tcp(1, 0, SYN), tcp(0, 1, RST | ACK)],
    "begins with FIN": [tcp(0, 0, FIN), tcp(1, 1, FIN), tcp(1, 1, FIN), tcp(1, 0, ACK), tcp(1, 0, SYN)],
    "begins with RST": [tcp(0, 0, RST), tcp(1, 0, SYN), tcp(1, 1, SYN | ACK)],
    "both FINs from one end": [*OPEN, tcp(1, 0, FIN), tcp(1, 0, FIN), tcp(1, 1, ACK), tcp(1, 0, SYN)],
    "FIN and RST in one": [*OPEN, tcp(1, 0, FIN | RST), tcp(1, 1, ACK), tcp(1, 0, SYN)],
    "TCP for 250 s": [*OPEN, *(tcp(10, n % 2, ACK, n) for n in range(24)), *CLOSE],
    "TCP that the other end continues after 120 s": [*OPEN, tcp(119, 0, ACK), tcp(1.5, 1, ACK), tcp(1, 0, ACK)],
    "UDP that goes on after 120 s": [udp(0, 0), udp(60, 1), udp(60, 1), udp(1, 1), udp(1, 0)],
    "UDP after more than 120 s of silence": [udp(0, 0), udp(1, 1), udp(120.5, 1), udp(1, 0)],
    "UDP after 120 s of silence": [udp(0, 0), udp(1, 1), udp(120, 1), udp(1, 0)],
    "echo and its reply": [icmp(0, 0, 8, 0), icmp(0.1, 1, 0, 0), icmp(1, 0, 8, 0), icmp(40, 1, 0, 0)],
    "ICMP of other type and code": [icmp(0, 0, 8, 0), icmp(1, 0, 3, 0), icmp(1, 1, 3, 1), icmp(1, 0, 8, 0)],
    "a port that nobody listens on": [udp(0, 0), error(0.1, 1, "udp"), udp(1, 0), error(0.1, 1, "udp")],
    "an error before its flow": [error(0, 1, "udp"), udp(0.1, 0), error(0.1, 1, "udp")],
    "an error long after its flow": [udp(0, 0), error(70, 1, "udp"), udp(1, 0)],
    "an error when its flow is too old": [udp(0, 0), udp(60, 1), udp(55, 0), error(6, 1, "udp"), udp(1, 0)],
    "an error just after its flow's time": [udp(0, 0), error(5.05, 1, "udp"), udp(1, 0)],
    "an error just after its flow grew too old": [
        udp(0, 0),
        *(udp(4, n % 2) for n in range(4)),
        error(4.05, 0, "udp"),
        udp(0.1, 1),
    ],
    "errors both ways": [*OPEN, error(1, 0, "tcp"), error(1, 1, "tcp", 11), tcp(1, 0, ACK)],
    "a bulk broken by an answer": [
        *(udp(0.1, 0) for _ in range(5)),
        udp(0.1, 1),
        *(udp(0.1, 0) for _ in range(4)),
        udp(1.1, 0),
        udp(0.1, 1, 0),
    ],
    "active and idle": [*OPEN, tcp(6, 0, ACK), tcp(1, 1, ACK), tcp(5, 0, ACK), tcp(5.000001, 1, ACK), tcp(7, 0, FIN)],
    "the clock falls back": [udp(0, 0), udp(1, 1), udp(-3, 0), udp(-3700, 1), udp(1, 0)],
    "fragments in time": [part(0, "udp", "first"), part(30, "udp", "later")],
    "a fragment too late": [part(0, "udp", "first"), part(30.000001, "udp", "later"), part(1, "udp", "later")],
    "a fragment before its first": [part(0, "udp", "later"), part(1, "udp", "first")],
    "fragments of TCP, IPv6": [part(0, "tcp", "first", 6), part(1, "tcp", "later", 6)],
    "fragments of an echo": [part(0, "icmp", "first"), part(1, "icmp", "later"), icmp(1, 1, 0, 0)],
    "a host that talks to itself": [
        Sent(0, ends=(0, 0), ports=(53, 53), flags=SYN),
        Sent(9, ends=(0, 0), ports=(53, 53), flags=SYN | ACK),
        Sent(9, ends=(0, 0), ports=(53, 443), flags=SYN),
        Sent(9, ends=(0, 0), ports=(443, 53), flags=SYN | ACK),
    ],
    "the same packet again and again": [tcp(0, 0, PSH | ACK, 50)] * 7,
    "two at one time, then a third": [udp(0, 0, port=1), udp(0, 0, port=2), udp(0, 0, port=3)],
}
