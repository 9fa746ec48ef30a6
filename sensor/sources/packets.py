"""Single packets as one pcapng stream, for sources that know packets and not files.

Format: draft-ietf-opsawg-pcapng (IETF). Times in ns; an interface description for each link type, written
when its first packet comes.
"""

from struct import Struct

_SECTION = Struct("<IIIHHqI")
_INTERFACE = Struct("<IIHHIHHB3xHHB3xHHI")
_PACKET = Struct("<7I")
_LENGTH = Struct("<I")
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_LATEST_NS = (1 << 63) - 1


class PacketStream:
    """Collects packets; what has been collected is taken as bytes."""

    def __init__(self) -> None:
        """Begin a pcapng file."""
        self._interfaces: dict[tuple[int, int], int] = {}
        self._pieces = [_SECTION.pack(0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]

    def add(self, time_ns: int, link_type: int, frame: bytes, wire_bytes: int, fcs_bytes: int = 0) -> None:
        """Add a packet.

        Args:
            time_ns: when it was captured, Unix time; what no file can hold is taken to the nearest it can.
            link_type: LINKTYPE_ number of its first header.
            frame: its captured bytes.
            wire_bytes: its length on the wire.
            fcs_bytes: how many of these are a frame check sequence at the end.
        """
        number = self._interfaces.get((link_type, fcs_bytes))
        if number is None:
            number = self._describe(link_type, fcs_bytes)
        stamp = min(max(time_ns, 0), _LATEST_NS)
        captured = len(frame)
        length = 32 + (captured + 3 & ~3)
        head = _PACKET.pack(6, length, number, stamp >> 32, stamp & 0xFFFFFFFF, captured, max(wire_bytes, captured))
        self._pieces += (head, frame, _PADDING[captured & 3], _LENGTH.pack(length))

    def take(self) -> bytes:
        """Return the bytes collected since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def _describe(self, link_type: int, fcs_bytes: int) -> int:
        """Write an interface description: no snap length, time in 10^-9 s, bytes of check sequence."""
        number = self._interfaces[link_type, fcs_bytes] = len(self._interfaces)
        options = (9, 1, 9, 13, 1, fcs_bytes, 0, 0)
        self._pieces.append(_INTERFACE.pack(1, _INTERFACE.size, link_type & 0xFFFF, 0, 0, *options, _INTERFACE.size))
        return number
