"""A small reader that counts who talked to whom in a capture; it shares nothing with the sensor.

It reads what the testbed's own capture holds: classic pcap, Ethernet, IPv4 and IPv6 without
tunnels. A conversation is a bidirectional 5-tuple; its source is whoever sent first (a SYN+ACK
that comes first means the roles are swapped). Hosts use TCP ports again: a SYN that repeats no
earlier one starts another conversation of the same 5-tuple. ICMP conversations are told
apart by what they carry: an echo has its identifier as both ports, an error has ports 0 and is kept
with the 5-tuple that it is about.
"""

import gzip
import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
ICMP_ERRORS = {1: {3, 4, 5, 11, 12}, 58: {1, 2, 3, 4}}
ICMP_ECHOES = {1: {0, 8}, 58: {128, 129}}
SYN, SYN_ACK = 0x02, 0x12
ND_TYPES = range(130, 144)


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


def read(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield (time in ns, bytes on the wire, frame) of a little-endian pcap, gzipped or plain.

    Raises ValueError for anything but a microsecond Ethernet pcap with whole records.
    """
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:4] != b"\xd4\xc3\xb2\xa1" or struct.unpack_from("<I", data, 20)[0] != 1:
        raise ValueError(f"{path} is no little-endian microsecond pcap of Ethernet frames")
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            raise ValueError(f"{path} ends inside a record header")
        seconds, micros, kept, wire = struct.unpack_from("<IIII", data, at)
        at += 16
        if at + kept > len(data):
            raise ValueError(f"{path} ends inside a packet")
        yield (seconds * 1_000_000 + micros) * 1000, wire, data[at : at + kept]
        at += kept


def parse(frame: bytes) -> tuple[Tuple5, int, bytes] | None:
    """Return (5-tuple, IP protocol number, transport header on), None for what is not IP."""
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype in (0x0800, 0x86DD):
        return parse_ip(frame[14:])
    return None


def parse_ip(packet: bytes) -> tuple[Tuple5, int, bytes]:
    """Return the same for a packet that starts with its IP header."""
    if packet[0] >> 4 == 4:
        number, rest = packet[9], packet[(packet[0] & 15) * 4 :]
        src, dst = packet[12:16], packet[16:20]
    else:
        number, rest = packet[6], packet[40:]
        src, dst = packet[8:24], packet[24:40]
        if number == 0:  # hop-by-hop options, as multicast listener reports carry them
            number, rest = rest[0], rest[(rest[1] + 1) * 8 :]
    sport, dport = struct.unpack_from(">HH", rest) if number in (6, 17) else (0, 0)
    if number in ICMP_ECHOES and rest[0] in ICMP_ECHOES[number]:
        sport = dport = int.from_bytes(rest[4:6], "big")
    names = [str(ipaddress.ip_address(address)) for address in (src, dst)]
    key = Tuple5(PROTOCOLS.get(number, str(number)), names[0], sport, names[1], dport)
    return key, number, rest


def about(number: int, rest: bytes) -> Tuple5 | None:
    """Return the 5-tuple that an ICMP error is about, None for everything else."""
    if number in ICMP_ERRORS and rest[0] in ICMP_ERRORS[number]:
        return parse_ip(rest[8:])[0]
    return None


def conversations(path: Path) -> list[Conversation]:
    """Return a capture's conversations in order of their first packets."""
    open_ones: dict[tuple[Tuple5, Tuple5 | None], Conversation] = {}
    all_ones: list[Conversation] = []
    for time_ns, wire, frame in read(path):
        parsed = parse(frame)
        if parsed is None:
            continue
        key, number, rest = parsed
        mark = about(number, rest)
        flags = rest[13] & SYN_ACK if number == 6 else 0
        known = open_ones.get((key, mark)) or open_ones.get((key.turned(), mark))
        if known is None or (flags == SYN and known.syn != rest[4:8]):
            known = Conversation(
                key=key.turned() if flags == SYN_ACK else key,
                start_ns=time_ns,
                end_ns=time_ns,
                packets=[0, 0],
                octets=[0, 0],
                kind=rest[0] if number in ICMP_ERRORS else -1,
                syn=rest[4:8] if flags == SYN else b"",
                about=mark,
            )
            open_ones.pop((key.turned(), mark), None)
            open_ones[known.key, mark] = known
            all_ones.append(known)
        way = 0 if key == known.key else 1
        known.packets[way] += 1
        known.octets[way] += wire
        known.end_ns = max(known.end_ns, time_ns)
    return sorted(all_ones, key=lambda talk: (talk.start_ns, talk.key))
