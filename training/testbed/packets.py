"""A small reader that counts who talked to whom in a capture; it shares nothing with the sensor.

It reads what the testbed's own captures hold: classic pcap, Ethernet, IPv4 and IPv6 without
tunnels. A conversation is a bidirectional 5-tuple; its source is whoever sent first (a SYN+ACK
that comes first means the roles are swapped). Hosts use TCP ports again: a SYN that repeats no
earlier one starts another conversation of the same 5-tuple. ICMP conversations are told
apart by what they carry: an echo has its identifier as both ports, an error has ports 0 and is kept
with the 5-tuple that it is about. What has no ports at all (neighbour discovery, group
membership) is another conversation after a minute of silence. Later fragments of a datagram
belong with its first. Frames that are not IP belong to no conversation.
"""

import gzip
import ipaddress
import struct
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmp6"}
ICMP_ERRORS = {1: {3, 4, 5, 11, 12}, 58: {1, 2, 3, 4}}
# Echo, timestamp, information and address mask requests and replies carry an identifier.
ICMP_ECHOES = {1: {0, 8, 13, 14, 15, 16, 17, 18}, 58: {128, 129}}
SYN, SYN_ACK = 0x02, 0x12
ND_TYPES = range(130, 144)
QUIET_NS = 60_000_000_000
RESOLUTION_NS = {b"\xd4\xc3\xb2\xa1": 1000, b"\x4d\x3c\xb2\xa1": 1}
V6_OPTIONS = {0, 43, 60}
V6_FRAGMENT = 44


@dataclass(frozen=True, slots=True, order=True)
class Tuple5:
    """Protocol, addresses and ports, from the side that started to the other."""

    protocol: str
    src: str
    sport: int
    dst: str
    dport: int

    def turned(self) -> "Tuple5":
        """Return the same seen from the other side."""
        return Tuple5(self.protocol, self.dst, self.dport, self.src, self.sport)

    @property
    def portless(self) -> bool:
        """Whether the protocol has neither ports nor, here, an identifier."""
        return self.sport == self.dport == 0


@dataclass(slots=True)
class Conversation:
    """A 5-tuple with its first and last packet's time and the packets and bytes of each side.

    Times are integer nanoseconds, bytes are of whole frames on the wire. `kind` is the first
    packet's ICMP type (-1: another protocol), `syn` the sequence number of the SYN that started it
    (empty without one), `about` what an ICMP error complains of.
    """

    key: Tuple5
    start_ns: int
    end_ns: int
    packets: list[int]
    octets: list[int]
    kind: int = -1
    syn: bytes = b""
    about: Tuple5 | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """The packets of one or several capture files in order of time.

    `data` is the files' bytes, `at` int64[n] where each frame starts in it, `kept` int64[n] how
    many bytes of it there are, `wire` int64[n] how long it was, `time_ns` int64[n].
    """

    data: bytes
    at: NDArray[np.int64]
    kept: NDArray[np.int64]
    wire: NDArray[np.int64]
    time_ns: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many packets there are."""
        return len(self.at)

    def frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield (time in ns, bytes on the wire, frame) in order of time."""
        columns = (self.time_ns, self.wire, self.at, self.kept)
        for time_ns, wire, at, kept in zip(*(column.tolist() for column in columns), strict=True):
            yield time_ns, wire, self.data[at : at + kept]


def load(*paths: Path) -> Capture:
    """Read pcap files, gzipped or plain, and merge them by time; of equals, the first file's first.

    Raises ValueError for anything but a little-endian Ethernet pcap (micro- or nanoseconds) with
    whole records.
    """
    parts, columns, base = [], [array("q") for _ in range(4)], 0
    for path in paths:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        _records(path, data, base, columns)
        parts.append(data)
        base += len(data)
    at, kept, wire, time_ns = (np.array(column, dtype=np.int64) for column in columns)
    order = np.argsort(time_ns, kind="stable")
    return Capture(b"".join(parts), at[order], kept[order], wire[order], time_ns[order])


def _records(path: Path, data: bytes, base: int, columns: Sequence["array[int]"]) -> None:
    unit = RESOLUTION_NS.get(data[:4])
    if unit is None or len(data) < 24 or struct.unpack_from("<I", data, 20)[0] != 1:
        raise ValueError(f"{path} is no little-endian pcap of Ethernet frames")
    add = [column.append for column in columns]
    unpack, end, at = struct.Struct("<IIII").unpack_from, len(data), 24
    while at < end:
        if at + 16 > end:
            raise ValueError(f"{path} ends inside a record header")
        seconds, part, kept, wire = unpack(data, at)
        at += 16
        if at + kept > end:
            raise ValueError(f"{path} ends inside a packet")
        add[0](base + at)
        add[1](kept)
        add[2](wire)
        add[3](seconds * 1_000_000_000 + part * unit)
        at += kept


def read(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield (time in ns, bytes on the wire, frame) of one capture file, in order of time."""
    return load(path).frames()


@lru_cache(maxsize=65536)
def address(packed: bytes) -> str:
    """Return an address as text."""
    return str(ipaddress.ip_address(packed))


def parse(frame: bytes) -> tuple[Tuple5, int, bytes] | None:
    """Return (5-tuple, IP protocol number, transport header on), None for what is not IP.

    The transport header is empty in a later fragment, and the ports are 0 where they are missing.
    """
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype in (0x0800, 0x86DD) and len(frame) >= 34:
        return parse_ip(frame[14:])
    return None


def parse_ip(packet: bytes) -> tuple[Tuple5, int, bytes]:
    """Return the same for a packet that starts with its IP header, which must be there whole."""
    if packet[0] >> 4 == 4:
        number, rest = packet[9], packet[(packet[0] & 15) * 4 :]
        src, dst = packet[12:16], packet[16:20]
        if int.from_bytes(packet[6:8], "big") & 0x1FFF:
            rest = b""
    else:
        number, rest = packet[6], packet[40:]
        src, dst = packet[8:24], packet[24:40]
        while number in V6_OPTIONS and len(rest) > 8:
            number, rest = rest[0], rest[(rest[1] + 1) * 8 :]
        if number == V6_FRAGMENT and len(rest) >= 8:
            later = int.from_bytes(rest[2:4], "big") & 0xFFF8
            number, rest = rest[0], b"" if later else rest[8:]
    sport, dport = struct.unpack_from(">HH", rest) if number in (6, 17) and len(rest) >= 4 else (0, 0)
    if rest and number in ICMP_ECHOES and rest[0] in ICMP_ECHOES[number]:
        sport = dport = int.from_bytes(rest[4:6], "big")
    key = Tuple5(PROTOCOLS.get(number, str(number)), address(src), sport, address(dst), dport)
    return key, number, rest


def about(number: int, rest: bytes) -> Tuple5 | None:
    """Return the 5-tuple that an ICMP error is about, None for everything else."""
    if len(rest) >= 28 and number in ICMP_ERRORS and rest[0] in ICMP_ERRORS[number]:
        return parse_ip(rest[8:])[0]
    return None


def datagram(frame: bytes) -> bytes | None:
    """Return what all fragments of one datagram have in common, None for an unfragmented packet."""
    if frame[12:14] == b"\x08\x00":
        return frame[18:20] + frame[23:24] + frame[26:34] if int.from_bytes(frame[20:22], "big") & 0x3FFF else None
    return frame[22:54] + frame[58:62] if frame[20] == V6_FRAGMENT else None


@dataclass(slots=True)
class _Desk:
    """Sorts packets into conversations, one at a time, in order of time.

    `cuts` says for a sender's 5-tuple at which times somebody else took it over: the first packet
    from that side at or after such a time starts another conversation.
    """

    cuts: Mapping[Tuple5, Sequence[int]]
    talks: list[Conversation] = field(default_factory=list)
    latest: dict[tuple[Tuple5, Tuple5 | None], int] = field(default_factory=dict)
    fragments: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def place(self, time_ns: int, frame: bytes) -> tuple[int, int]:
        """Return (number of the conversation, 0 from its source or 1 back); (-1, 0) for what is not IP."""
        parsed = parse(frame)
        if parsed is None:
            return -1, 0
        whole = datagram(frame)
        if whole is not None and not parsed[2] and whole in self.fragments:
            return self.fragments[whole]
        placed = self._place(time_ns, *parsed)
        if whole is not None:
            self.fragments[whole] = placed
        return placed

    def _place(self, time_ns: int, key: Tuple5, number: int, rest: bytes) -> tuple[int, int]:
        mark = about(number, rest)
        flags = rest[13] & SYN_ACK if number == 6 and len(rest) > 13 else 0
        known = self.latest.get((key, mark), self.latest.get((key.turned(), mark), -1))
        if known < 0 or self._anew(time_ns, key, flags, rest, self.talks[known]):
            talk = Conversation(
                key=key.turned() if flags == SYN_ACK else key,
                start_ns=time_ns,
                end_ns=time_ns,
                packets=[0, 0],
                octets=[0, 0],
                kind=rest[0] if rest and number in ICMP_ERRORS else -1,
                syn=rest[4:8] if flags == SYN else b"",
                about=mark,
            )
            known = len(self.talks)
            self.talks.append(talk)
            self.latest.pop((talk.key.turned(), mark), None)
            self.latest[talk.key, mark] = known
        return known, 0 if key == self.talks[known].key else 1

    def _anew(self, time_ns: int, key: Tuple5, flags: int, rest: bytes, known: Conversation) -> bool:
        if key.portless and known.about is None:
            return time_ns - known.end_ns > QUIET_NS
        if flags == SYN and known.syn != rest[4:8]:
            return True
        return any(known.start_ns < cut <= time_ns for cut in self.cuts.get(key, ()))


def sort(
    capture: Capture, cuts: Mapping[Tuple5, Sequence[int]] | None = None
) -> tuple[list[Conversation], NDArray[np.int32]]:
    """Return the conversations in order of their first packets, and int32[n] whose each packet is.

    A packet that is not IP belongs to number -1. `cuts` are the times at which a sender's 5-tuple
    changed hands without a sign of it on the wire.
    """
    desk = _Desk(cuts or {})
    watched = set(desk.cuts)
    # Once a sender's 5-tuple is known, only a SYN or a fragment needs more than its bytes.
    seen: dict[int, dict[bytes, tuple[int, int]]] = {6: {}, 17: {}}
    data, owners = capture.data, array("i")
    columns = (capture.at, capture.kept, capture.wire, capture.time_ns)
    for at, kept, wire, time_ns in zip(*(column.tolist() for column in columns), strict=True):
        number, key, flags = _glance(data, at, kept)
        placed = seen[number].get(key) if number and flags & SYN_ACK != SYN else None
        if placed is None:
            placed = desk.place(time_ns, data[at : at + kept])
            if number and placed[0] >= 0:
                _remember(seen[number], desk.talks[placed[0]], key, placed, watched)
        owners.append(placed[0])
        if placed[0] >= 0:
            talk = desk.talks[placed[0]]
            talk.packets[placed[1]] += 1
            talk.octets[placed[1]] += wire
            talk.end_ns = time_ns
    return desk.talks, np.array(owners, dtype=np.int32)


def _glance(data: bytes, at: int, kept: int) -> tuple[int, bytes, int]:
    """Return (protocol, addresses and ports as they stand, TCP flags) of a plain TCP or UDP frame.

    The protocol is 0 for everything else: options, fragments, other protocols.
    """
    kind = data[at + 12 : at + 15]
    if kind == b"\x08\x00\x45" and kept >= 42:
        number = data[at + 23]
        if ((number == 6 and kept >= 54) or number == 17) and not (data[at + 20] & 0x3F or data[at + 21]):
            return number, data[at + 26 : at + 38], data[at + 47] if number == 6 else 0
    elif kind[:2] == b"\x86\xdd" and kept >= 62:
        number = data[at + 20]
        if (number == 6 and kept >= 74) or number == 17:
            return number, data[at + 22 : at + 58], data[at + 67] if number == 6 else 0
    return 0, b"", 0


def _remember(
    seen: dict[bytes, tuple[int, int]], talk: Conversation, key: bytes, placed: tuple[int, int], watched: set[Tuple5]
) -> None:
    """Keep where a sender's packets go from here on, and forget where the other side's went."""
    half = (len(key) - 4) // 2
    back = key[half : 2 * half] + key[:half] + key[-2:] + key[-4:-2]
    if back in seen and seen[back][0] != placed[0]:
        del seen[back]
    sent = talk.key if placed[1] == 0 else talk.key.turned()
    if sent in watched:
        seen.pop(key, None)
    else:
        seen[key] = placed


def conversations(path: Path, cuts: Mapping[Tuple5, Sequence[int]] | None = None) -> list[Conversation]:
    """Return a capture's conversations in order of their first packets."""
    return sort(load(path), cuts)[0]
