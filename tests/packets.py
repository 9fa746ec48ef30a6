"""Packets and captures built in code: Ethernet, IPv4, TCP and UDP, in classic pcap."""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
BASE_NS = 1_700_000_000_000_000_000
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Timed:
    """A frame and when it was captured, in ns."""

    time_ns: int
    frame: bytes


def ethernet(payload: bytes, kind: int = 0x0800) -> bytes:
    """Return an Ethernet frame."""
    return bytes.fromhex("020000000002020000000001") + struct.pack(">H", kind) + payload


def ipv4(src: str, dst: str, proto: int, payload: bytes) -> bytes:
    """Return an IPv4 packet in an Ethernet frame; its checksum is left zero."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, proto, 0)
    return ethernet(head + socket.inet_aton(src) + socket.inet_aton(dst) + payload)


def tcp(src: str, dst: str, ports: tuple[int, int], flags: int, payload: bytes = b"") -> bytes:
    """Return a TCP segment in IPv4 in Ethernet."""
    return ipv4(src, dst, 6, struct.pack(">HHIIBBHHH", *ports, 1, 1, 0x50, flags, 8192, 0, 0) + payload)


def udp(src: str, dst: str, ports: tuple[int, int], payload: bytes = b"") -> bytes:
    """Return a UDP datagram in IPv4 in Ethernet."""
    return ipv4(src, dst, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload)


def connection(src: str, dst: str, ports: tuple[int, int], begin_ns: int = BASE_NS, rounds: int = 3) -> list[Timed]:
    """Return a TCP connection: handshake, `rounds` of question and answer, FINs; 10 ms between packets."""
    there, back = (src, dst, ports), (dst, src, (ports[1], ports[0]))
    steps = [(there, SYN, b""), (back, SYN | ACK, b""), (there, ACK, b"")]
    for _ in range(rounds):
        steps += [(there, PSH | ACK, b"q" * 100), (back, PSH | ACK, b"a" * 900)]
    steps += [(there, FIN | ACK, b""), (back, FIN | ACK, b""), (there, ACK, b"")]
    return [
        Timed(begin_ns + number * 10 * MS, tcp(*ends, flags, payload))
        for number, (ends, flags, payload) in enumerate(steps)
    ]


def pcap(packets: Iterable[Timed]) -> bytes:
    """Return a classic capture of Ethernet frames with nanoseconds, in the packets' order."""
    records = [
        struct.pack("<IIII", one.time_ns // 10**9, one.time_ns % 10**9, len(one.frame), len(one.frame)) + one.frame
        for one in packets
    ]
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1) + b"".join(records)
