"""Where the packets of a capture lie in its bytes: what a filter looks at, and where a capture can be cut.

The flow engine reads captures itself. This walk serves what it does not tell: which packet is which.
Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng (IETF).
"""

from array import array
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.sources import open_capture
from sensor.sources.records import MAX_RECORD_BYTES, PCAP, PCAP_HEAD_BYTES, PCAPNG, Clock, clock_of

Numbers = npt.NDArray[np.int64]
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6


@dataclass(frozen=True, slots=True)
class Frames:
    """The packets of one capture, in the order of the file; all arrays have shape (n,), int64.

    Attributes:
        data: the whole file, uncompressed.
        begin: where the packet's record begins in `data`.
        end: where it ends; the next one may begin later.
        at: where the frame itself begins.
        kept: how many bytes of it there are.
        wire: how many there were on the wire.
        time_ns: when it was seen.
        link_type: the LINKTYPE_ number of its interface.
    """

    data: bytes
    begin: Numbers
    end: Numbers
    at: Numbers
    kept: Numbers
    wire: Numbers
    time_ns: Numbers
    link_type: Numbers

    def __len__(self) -> int:
        return len(self.at)


def read(path: Path) -> Frames:
    """Return the packets of a pcap or pcapng file, plain or compressed, as far as its records are whole.

    Raises NettrusionError for what cannot be opened and for what is no capture.
    """
    source = open_capture(path)
    parts = []
    try:
        while True:
            parts.append(bytes(source.window))
            source.advance(len(source.window))
            if not source.more():
                break
    finally:
        source.close()
    data = b"".join(parts)
    if data[:4] in PCAP and len(data) >= PCAP_HEAD_BYTES:
        rows = _pcap(data)
    elif data[:4] == PCAPNG:
        rows = _pcapng(data)
    else:
        raise NettrusionError(f"{path}: is no capture; give a pcap or pcapng file")
    table = np.array(rows, dtype=np.int64).reshape(-1, 7)
    return Frames(data, *(np.ascontiguousarray(table[:, place]) for place in range(7)))


def _pcap(data: bytes) -> "array[int]":
    order, tick_ns, head_bytes = PCAP[data[:4]]
    unpack = Struct(f"{order}IIII").unpack_from
    link_type = Struct(f"{order}I").unpack_from(data, 20)[0] & 0xFFFF
    rows, at, size = array("q"), PCAP_HEAD_BYTES, len(data)
    while at + head_bytes <= size:
        seconds, part, kept, wire = unpack(data, at)
        frame = at + head_bytes
        if kept > MAX_RECORD_BYTES or frame + kept > size:
            break
        time_ns = seconds * 1_000_000_000 + part * tick_ns
        rows.extend((at, frame + kept, frame, kept, wire, time_ns, link_type))
        at = frame + kept
    return rows


def _pcapng(data: bytes) -> "array[int]":
    rows, at, size, order = array("q"), 0, len(data), "<"
    interfaces: list[tuple[int, int, Clock]] = []
    last_ns = 0
    while at + 12 <= size:
        if data[at : at + 4] == PCAPNG:
            order = ">" if data[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        kind, length = Struct(f"{order}II").unpack_from(data, at)
        if length < 12 or length % 4 or length > MAX_RECORD_BYTES or at + length > size:
            break
        if kind == _INTERFACE and length >= 20:
            interfaces.append(_interface(data[at : at + length], order))
        elif kind == _ENHANCED and length >= 32:
            number, high, low, kept, wire = Struct(f"{order}5I").unpack_from(data, at + 8)
            if number < len(interfaces) and kept <= length - 32:
                link_type, _, clock = interfaces[number]
                last_ns = clock.ns(high << 32 | low)
                rows.extend((at, at + length, at + 28, kept, wire, last_ns, link_type))
        elif kind == _SIMPLE and interfaces and length >= 16:
            link_type, snap, _ = interfaces[0]
            wire = Struct(f"{order}I").unpack_from(data, at + 8)[0]
            kept = min(wire, length - 16, snap or wire)
            rows.extend((at, at + length, at + 12, kept, wire, last_ns, link_type))
        at += length
    return rows


def _interface(block: bytes, order: str) -> tuple[int, int, Clock]:
    """Return link type, snap length and clock of an interface description."""
    link_type, snap = Struct(f"{order}H2xI").unpack_from(block, 8)
    return link_type, snap, clock_of(block, order)
