"""Frames between two hosts in every dress in which the sensor's balancing must know them."""

import ipaddress
import struct
from collections.abc import Callable

PEERS = bytes.fromhex("020000000002020000000001")
UDP = struct.pack(">HHHH", 40000, 53, 12, 0) + b"abcd"


def ip4(src: str, dst: str, proto: int = 17, payload: bytes = UDP, fragment: int = 0) -> bytes:
    """Return an IPv4 packet; `fragment` is the field of flags and offset."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, 64, proto, 0)
    return head + ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed + payload


def ip6(src: str, dst: str, proto: int = 17, payload: bytes = UDP) -> bytes:
    """Return an IPv6 packet whose addresses end like the given IPv4 ones."""
    ends = b"".join(b"\xfd" + bytes(11) + ipaddress.ip_address(end).packed for end in (src, dst))
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + ends + payload


def session(packet: bytes) -> bytes:
    """Return a PPPoE session's header and the packet in it."""
    kind = 0x0021 if packet[0] >> 4 == 4 else 0x0057
    return struct.pack(">BBHHH", 0x11, 0, 9, len(packet) + 2, kind) + packet


def unreachable(src: str, dst: str) -> bytes:
    """Return what a host says of a packet from another to itself: it has no such port."""
    return ip4(dst, src, 1, struct.pack(">BBHI", 3, 3, 0, 0) + ip4(src, dst)[:28])


# (name, EtherType that the kernel sees once it has taken the outermost tag off, network header and on)
Dress = tuple[int, Callable[[str, str], bytes]]
DRESSES: dict[str, Dress] = {
    "ipv4": (0x0800, ip4),
    "ipv6": (0x86DD, ip6),
    "first fragment": (0x0800, lambda src, dst: ip4(src, dst, fragment=0x2000)),
    "later fragment": (0x0800, lambda src, dst: ip4(src, dst, fragment=0x00B9, payload=b"x" * 30)),
    "unreachable": (0x0800, unreachable),
    "inner tag": (0x8100, lambda src, dst: b"\0\7\x08\0" + ip4(src, dst)),
    "inner tag, ipv6": (0x8100, lambda src, dst: b"\0\7\x86\xdd" + ip6(src, dst)),
    "pppoe": (0x8864, lambda src, dst: session(ip4(src, dst))),
    "pppoe, ipv6": (0x8864, lambda src, dst: session(ip6(src, dst))),
    "inner tag, pppoe": (0x8100, lambda src, dst: b"\0\7\x88\x64" + session(ip4(src, dst))),
}


def frame(dress: str, src: str, dst: str) -> bytes:
    """Return an Ethernet frame; what needs an outer tag has one."""
    protocol, make = DRESSES[dress]
    outer = b"\x81\0\0\5" if protocol == 0x8100 else b""
    return PEERS + outer + protocol.to_bytes(2, "big") + make(src, dst)
