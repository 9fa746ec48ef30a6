"""How the reference turns Ethernet frames into packets under the engine's own profile, ``wire``.

IPv6 and every protocol by its number; VLAN ids; later fragments with the ports of their first; an ICMP error with what
it quotes. Frames that are cut too short, or that contradict themselves, give no packet.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tests.sensor.flows.reference import ICMP, SCTP, TCP, UDP, Packet

ICMP6 = 58
TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00")
EXTENSIONS = (0, 43, 44, 51, 60, 135, 139, 140)
FRAGMENT_NS = 30_000_000_000
# Reply types by the request that they answer: echo, router, timestamp, information, mask; and ICMPv6.
REQUEST = {0: 8, 9: 10, 14: 13, 16: 15, 18: 17}
REQUEST6 = {129: 128, 134: 133, 136: 135, 140: 139, 145: 144, 147: 146}
UNREACHABLE = 3

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
        packet = replace(
            base,
            proto=proto,
            icmp_type=body[0],
            icmp_code=body[1],
            icmp_key=icmp_key(proto, body),
        )
        return replace(packet, quoted=quoted_by(packet, body[8:]))
    return replace(base, proto=proto)


def icmp_key(proto: int, body: bytes) -> tuple[int, int]:
    """The request's type and the code, which a request and its reply share."""
    return ((REQUEST if proto == ICMP else REQUEST6).get(body[0], body[0]), body[1])


def quoted_by(error: Packet, quote: bytes) -> Packet | None:
    """The packet that an IPv4 destination-unreachable message answers, as if its receiver had sent the message.

    None for every other packet, and when it quotes no TCP, UDP or ICMP.
    """
    if (error.proto, error.icmp_type) != (ICMP, UNREACHABLE) or len(quote) < 20:
        return None
    header = (quote[0] & 15) * 4
    body = quote[header:]
    if quote[0] >> 4 != 4 or header < 20:
        return None
    answer = replace(error, src=quote[16:20], dst=quote[12:16], proto=quote[9], icmp_key=(-1, -1))
    if answer.proto in (TCP, UDP) and len(body) >= 4:
        src_port, dst_port = struct.unpack(">HH", body[:4])
        return replace(answer, src_port=dst_port, dst_port=src_port)
    if answer.proto == ICMP and len(body) >= 2:
        return replace(answer, icmp_key=icmp_key(ICMP, body))
    return None
