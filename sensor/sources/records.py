"""Walk over a pcap or pcapng stream record by record: where the last whole one ends and when it was.

The flow engine does the same and more, in compiled code, for the packets. A live source has to know two
things before it: a window that is empty whenever no whole record is there is what silence looks like, and
the time of the last record is what the capture's own clock showed.
Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng (IETF).
"""

from dataclasses import dataclass
from struct import Struct
from typing import Literal

PCAPNG = b"\x0a\x0d\x0d\x0a"
MAX_RECORD_BYTES = 64 << 20
SECOND_NS = 1_000_000_000
MOST_NS = (1 << 62) - 1  # so that time may go on from there for a century and still fit the engine's 63 bits
# Magic of classic pcap: byte order, ns a tick, bytes of a record's header.
PCAP = {
    bytes.fromhex("a1b2c3d4"): (">", 1000, 16),
    bytes.fromhex("d4c3b2a1"): ("<", 1000, 16),
    bytes.fromhex("a1b23c4d"): (">", 1, 16),
    bytes.fromhex("4d3cb2a1"): ("<", 1, 16),
    bytes.fromhex("a1b2cd34"): (">", 1000, 24),
    bytes.fromhex("34cdb2a1"): ("<", 1000, 24),
}
PCAP_HEAD_BYTES = 24


def is_capture(head: bytes) -> bool:
    """Return whether a file that begins with these bytes, at least four, is a pcap or pcapng file."""
    return head[:4] == PCAPNG or head[:4] in PCAP


@dataclass(frozen=True, slots=True)
class Clock:
    """How an interface of a pcapng file counts time."""

    ticks: int = 1_000_000
    offset_s: int = 0

    def ns(self, ticks: int) -> int:
        """Return a time stamp as Unix time in ns; what does not fit 62 bits wraps, as it does in the engine."""
        return (ticks * SECOND_NS // self.ticks + self.offset_s * SECOND_NS) & MOST_NS


class Records:
    """The records of one capture file, given piece by piece.

    Attributes:
        first_ns: Unix time, ns, of the first packet that begins in what was given, None before it.
        last_ns: that of the last packet that was walked over.
        damaged: whether no record can begin where the next one should; nothing is whole from there on.
    """

    def __init__(self) -> None:
        """Begin with the file's first byte."""
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self.damaged = False
        self._form: Literal["pcap", "pcapng"] | None = None
        self._order = "<"
        self._tick_ns = 0
        self._head_bytes = 16
        self._skip = 0
        self._clocks: list[Clock] = []

    def whole(self, data: bytes) -> int:
        """Return how many bytes of whole records `data` begins with, and walk over them.

        `data` begins where the last call's whole records ended, at the file's beginning at first.
        """
        if self._form is None:
            self._begin(data)
        if self.damaged:
            return 0
        if self._form == "pcap":
            return self._walk_pcap(data)
        return self._walk_blocks(data) if self._form == "pcapng" else 0

    def _begin(self, data: bytes) -> None:
        """Recognise the file by its first bytes, once there are enough."""
        if data[:4] == PCAPNG:
            self._form = "pcapng"
        elif len(data) >= PCAP_HEAD_BYTES:
            self._form = "pcap"
            if data[:4] in PCAP:
                self._order, self._tick_ns, self._head_bytes = PCAP[data[:4]]
                self._skip = PCAP_HEAD_BYTES
            else:
                self.damaged = True

    def _walk_pcap(self, data: bytes) -> int:
        at, self._skip = self._skip, 0
        captured_at = Struct(f"{self._order}8xI").unpack_from
        head, size, last = self._head_bytes, len(data), -1
        if self.first_ns is None and at + head <= size:
            self.first_ns = self._time_at(data, at)
        while at + head <= size:
            captured: int = captured_at(data, at)[0]
            if captured > MAX_RECORD_BYTES:
                self.damaged = True
                break
            if at + head + captured > size:
                break
            last = at
            at += head + captured
        if last >= 0:
            self.last_ns = self._time_at(data, last)
        return at

    def _time_at(self, data: bytes, at: int) -> int:
        """Return the time of the classic record at `at`."""
        seconds, ticks = Struct(f"{self._order}II").unpack_from(data, at)
        return int(seconds * SECOND_NS + ticks * self._tick_ns)

    def _walk_blocks(self, data: bytes) -> int:
        begin = Struct(f"{self._order}II").unpack_from
        at, size, last = 0, len(data), -1
        while at + 12 <= size:
            kind, length = begin(data, at)
            if kind == 0x0A0D0D0A:
                order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(data[at + 8 : at + 12])
                if order is None:
                    self.damaged = True
                    break
                begin = Struct(f"{order}II").unpack_from
                kind, length = begin(data, at)
            if length < 12 or length % 4 or length > MAX_RECORD_BYTES:
                self.damaged = True
                break
            is_packet = kind == 6 and length >= 32
            if is_packet and self.first_ns is None and at + 20 <= size:
                self.first_ns = self._time_of_block(data, at)
            if at + length > size:
                break
            if is_packet:
                last = at
            elif kind == 0x0A0D0D0A or kind == 1:
                self._note(data, last)
                last = -1
                self._describe(data[at : at + length])
            at += length
        self._note(data, last)
        return at

    def _note(self, data: bytes, at: int) -> None:
        """Take the time of the packet block at `at` over, if there is one."""
        if at >= 0:
            self.last_ns = self._time_of_block(data, at)

    def _time_of_block(self, data: bytes, at: int) -> int | None:
        """Return the time of the packet block at `at`; that of the last packet if its interface is unknown."""
        number, high, low = Struct(f"{self._order}8xIII").unpack_from(data, at)
        return self._clocks[number].ns(high << 32 | low) if number < len(self._clocks) else self.last_ns

    def _describe(self, block: bytes) -> None:
        """Take over what a section header or an interface description says."""
        if block[:4] == PCAPNG:
            self._order = "<" if block[8] == 0x4D else ">"
            self._clocks = []
            return
        self._clocks.append(clock_of(block, self._order))


def clock_of(block: bytes, order: str) -> Clock:
    """Return the clock that a pcapng interface description tells of, microseconds where it tells of none.

    `block` is the whole block, `order` the byte order of its section as `struct` spells it.
    """
    ticks, offset_s, at = 1_000_000, 0, 16
    option = Struct(f"{order}HH").unpack_from
    while at + 4 <= len(block) - 4:
        code, length = option(block, at)
        value = block[at + 4 : at + 4 + length]
        if code == 9 and value:
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** (value[0] & 0x7F)
        elif code == 14 and len(value) == 8:
            offset_s = Struct(f"{order}q").unpack(value)[0]
        elif code == 0:
            break
        at += 4 + (length + 3 & ~3)
    return Clock(ticks, offset_s)
