"""Reading capture files in tests, apart from the engine: frames with their link type, and what IP is in them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.sensor.flows.reference_decode import EXTENSIONS, TAGS

ETHERNET, RAW_IP, LINUX_COOKED = 1, 101, 113


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame: LINKTYPE_ number, length on the wire, the bytes captured of it."""

    link: int
    wire: int
    data: bytes


def frames(data: bytes) -> Iterator[Frame]:
    """Yield the frames of a pcap or pcapng file that is in order; simple packet blocks are not known."""
    if data[:4] == b"\n\r\r\n":
        yield from _pcapng(data)
        return
    order = ">" if data[0] == 0xA1 else "<"
    link = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        captured, wire = struct.unpack_from(f"{order}II", data, at + 8)
        yield Frame(link, wire, data[at + 16 : at + 16 + captured])
        at += 16 + captured


def _pcapng(data: bytes) -> Iterator[Frame]:
    at, order = 0, "<"
    links: list[int] = []
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\n\r\r\n":
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, length = struct.unpack_from(f"{order}II", data, at)
        if kind == 1:
            links.append(struct.unpack_from(f"{order}H", data, at + 8)[0])
        elif kind == 6:
            interface, _, _, captured, wire = struct.unpack_from(f"{order}IIIII", data, at + 8)
            yield Frame(links[interface], wire, data[at + 28 : at + 28 + captured])
        at += length


def ip_of(frame: Frame) -> bytes:
    """Return a frame from its IP header on; empty when there is none or the link type is not known."""
    if frame.link == RAW_IP:
        return frame.data
    if frame.link == LINUX_COOKED:
        return frame.data[16:]
    if frame.link != ETHERNET:
        return b""
    at = 12
    while frame.data[at : at + 2] in TAGS:
        at += 4
    known = frame.data[at : at + 2] in (b"\x08\x00", b"\x86\xdd")
    return frame.data[at + 2 :] if known else b""


@dataclass(frozen=True, slots=True)
class Ends:
    """Protocol, addresses as text and the fourth layer of a packet that is no later fragment."""

    proto: int
    src: str
    dst: str
    body: bytes

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination port; 0 where the protocol has none."""
        if self.proto not in (6, 17, 132) or len(self.body) < 4:
            return (0, 0)
        source, destination = struct.unpack(">HH", self.body[:4])
        return (source, destination)


def ends_of(ip: bytes) -> Ends | None:
    """Read the addresses and the protocol behind the extension headers; None for anything odd."""
    if len(ip) >= 20 and ip[0] >> 4 == 4:
        if int.from_bytes(ip[6:8], "big") & 0x1FFF:
            return None
        src, dst = socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20])
        return Ends(ip[9], src, dst, ip[(ip[0] & 15) * 4 :])
    if len(ip) < 40 or ip[0] >> 4 != 6:
        return None
    src, dst = (socket.inet_ntop(socket.AF_INET6, ip[at : at + 16]) for at in (8, 24))
    proto, body = ip[6], ip[40:]
    while proto in EXTENSIONS and proto != 44 and len(body) >= 2:
        proto, body = body[0], body[(body[1] + 1) * 8 :]
    return Ends(proto, src, dst, body)


def quoted_by_error(frame: Frame) -> Ends | None:
    """Return the ends of the packet that an IPv4 destination-unreachable message quotes; None for anything else."""
    outer = ends_of(ip_of(frame))
    if outer is None or outer.proto != 1 or not outer.body.startswith(b"\x03"):
        return None
    return ends_of(outer.body[8:])
