"""What is sent: a capture's frames at their full length, or frames of the least length made here."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LONGEST = 9014
"""Bytes of the longest frame that the cable takes; longer ones of a capture are cut to it."""
SHORTEST = 60
"""Bytes of an Ethernet frame of 64, whose last four no program sees."""
RECORD, PCAP_HEADER = 16, 24
AT_ONCE = 1000
"""Connections that are open at the same time."""
SYN, ACK, PSH, FIN = 0x02, 0x10, 0x08, 0x01
CONNECTION = (
    *((SYN, True), (SYN | ACK, False), (ACK, True), (PSH | ACK, True), (ACK, False)),
    *((PSH | ACK, False), (ACK, True), (FIN | ACK, True), (FIN | ACK, False), (ACK, True)),
)
"""Flags and direction of the ten segments of a connection."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Frames in the order in which they are sent.

    Attributes:
        name: what it is called in the table.
        data: all bytes, uint8.
        at: where in them each frame begins, uint64 (n,).
        held: how many of its bytes are there, uint64 (n,).
        length: how many it has on the wire, the rest zeros, uint64 (n,).
    """

    name: str
    data: Bytes
    at: NDArray[np.uint64]
    held: NDArray[np.uint64]
    length: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.at)

    @property
    def mean_bytes(self) -> float:
        """The mean length of a frame on the wire."""
        return float(self.length.mean())


def captured(path: Path, name: str = "capture", limit: int = 4_000_000) -> Traffic:
    """Return the frames of a classic little-endian pcap in memory; what was not captured of them is sent as zeros."""
    data = np.fromfile(path, np.uint8)
    view = memoryview(data.data)
    if bytes(view[:4]) not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        raise SystemExit(f"{path}: not a classic little-endian pcap")
    lengths = struct.Struct("<8xII")
    rows: list[tuple[int, int, int]] = []
    at = PCAP_HEADER
    while at + RECORD <= len(data) and len(rows) < limit:
        held, wire = lengths.unpack_from(view, at)
        rows.append((at + RECORD, min(held, LONGEST), min(max(held, wire), LONGEST)))
        at += RECORD + held
    table = np.array(rows, np.uint64)
    return Traffic(name, data, *(np.ascontiguousarray(column) for column in table.T))


def connections(packets: int) -> Traffic:
    """Return TCP connections of ten frames of 64 bytes, from opening to end, a thousand open at a time."""
    count = packets // (AT_ONCE * len(CONNECTION)) * AT_ONCE
    frames = np.zeros((count // AT_ONCE, len(CONNECTION), AT_ONCE, SHORTEST), np.uint8)
    number = np.arange(count, dtype=np.uint32).reshape(-1, AT_ONCE)
    client, port = (10 << 24) + 256 + number // 20_000, 20_000 + number % 20_000
    server = np.full_like(client, (192 << 24) + (2 << 8) + 1) + number % 200
    for step, (flags, forward) in enumerate(CONNECTION):
        sides = ((client, port), (server, np.full_like(port, 443)))
        (src, sport), (dst, dport) = sides if forward else sides[::-1]
        frames[:, step] = _segments(src, sport, dst, dport, flags)
    return _of("64 bytes, 10 a flow", frames.reshape(-1, SHORTEST))


def singles(packets: int) -> Traffic:
    """Return SYNs of 64 bytes, each of another source: flows of one packet, of which no two are the same."""
    number = np.arange(packets, dtype=np.uint32)
    src = ((20 + number % 100) << 24) + (number * np.uint32(2_654_435_761) >> np.uint32(8))
    frames = _segments(src, 1024 + number % 60_000, np.full_like(src, (10 << 24) + 5), np.full_like(src, 443), SYN)
    return _of("64 bytes, 1 a flow", frames)


def _segments(src: NDArray[np.uint32], sport: NDArray[np.uint32], dst: NDArray[np.uint32], dport: NDArray[np.uint32],
              flags: int) -> Bytes:  # fmt: skip
    """Return TCP segments, shape of `src` and 60 bytes; checksums are left zero."""
    carried = 6 if flags & PSH else 0
    head = struct.pack(">BBHHHBBH8x", 0x45, 0, 40 + carried, 0, 0x4000, 64, 6, 0)
    tcp = struct.pack(">HHIIBBHHH", 0, 0, 1, 1, 0x50, flags, 64240, 0, 0)
    frame = bytes.fromhex("0200000000020200000000010800") + head + tcp + bytes(6)
    frames = np.tile(np.frombuffer(frame, np.uint8), (*src.shape, 1))
    for at, values, kind in ((26, src, ">u4"), (30, dst, ">u4"), (34, sport, ">u2"), (36, dport, ">u2")):
        size = np.dtype(kind).itemsize
        frames[..., at : at + size] = values.astype(kind)[..., None].view(np.uint8)
    return frames


def _of(name: str, frames: Bytes) -> Traffic:
    count = len(frames)
    at = np.arange(count, dtype=np.uint64) * np.uint64(SHORTEST)
    length = np.full(count, SHORTEST, np.uint64)
    return Traffic(name, np.ascontiguousarray(frames).reshape(-1), at, length, length)


MADE: dict[str, Callable[[int], Traffic]] = {"connections": connections, "singles": singles}
