"""Frames and captures built by hand, for the tests of the testbed's reader."""

import ipaddress
import struct
from collections.abc import Iterable
from pathlib import Path

SYN, SYN_ACK, ACK, RST = 0x02, 0x12, 0x10, 0x04


def ip(src: str, dst: str, number: int, body: bytes) -> bytes:
    """Return an IPv4 or IPv6 packet."""
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if a.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, number, 0)
    else:
        head = struct.pack(">IHBB", 6 << 28, len(body), number, 64)
    return head + a.packed + b.packed + body


def ether(packet: bytes) -> bytes:
    """Return an Ethernet frame around an IP packet."""
    return bytes(12) + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def tcp(src: str, sport: int, dst: str, dport: int, flags: int, seq: int = 1) -> bytes:
    """Return a frame with a TCP segment without payload."""
    body = struct.pack(">HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, 1000, 0, 0)
    return ether(ip(src, dst, 6, body))


def udp(src: str, sport: int, dst: str, dport: int) -> bytes:
    """Return a frame with a UDP datagram of four bytes."""
    return ether(ip(src, dst, 17, struct.pack(">HHHH", sport, dport, 12, 0) + b"ping"))


def icmp(src: str, dst: str, kind: int, code: int, rest: bytes) -> bytes:
    """Return a frame with an ICMP message; `rest` is what follows its checksum."""
    number = 1 if "." in src else 58
    return ether(ip(src, dst, number, bytes((kind, code, 0, 0)) + rest))


def capture(path: Path, frames: Iterable[tuple[int, bytes]], snap: int = 65535) -> Path:
    """Write a microsecond pcap of (time in microseconds, frame) and return its path."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1)
    for micros, frame in frames:
        kept = frame[:snap]
        out += struct.pack("<IIII", *divmod(micros, 10**6), len(kept), len(frame)) + kept
    path.write_bytes(out)
    return path
