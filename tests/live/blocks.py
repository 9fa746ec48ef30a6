"""Reading a live source in tests, apart from the engine: blocks of a ring taken to pieces by struct."""

import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sensor.sources.ring import RingSource

VLAN_VALID = 1 << 4
PACKETS, FIRST = 12, 16  # where a block says how many packets it has, and where the first one begins
LIMIT_S = 15


@dataclass(frozen=True, slots=True)
class Caught:
    """One packet: its stamp in Unix ns, length on the wire, the bytes kept, the tag that the kernel took off."""

    time_ns: int
    wire: int
    data: bytes
    tag: int | None


def packets(block: memoryview) -> Iterator[Caught]:
    """Yield the packets of one whole TPACKET_V3 block."""
    (count,) = struct.unpack_from("=I", block, PACKETS)
    (at,) = struct.unpack_from("=I", block, FIRST)
    for _ in range(count):
        step, seconds, ns, kept, wire, status, mac, _ = struct.unpack_from("=IIIIIIHH", block, at)
        (tag,) = struct.unpack_from("=I", block, at + 32)
        assert at + mac + kept <= len(block)
        data = bytes(block[at + mac : at + mac + kept])
        yield Caught(seconds * 10**9 + ns, wire, data, tag & 0xFFFF if status & VLAN_VALID else None)
        at += step


def read(source: RingSource, seen: list[Caught]) -> None:
    """Wait once, and add what came."""
    assert source.more()
    seen.extend(packets(source.window) if source.window else ())
    source.advance(len(source.window))


def read_until(source: RingSource, enough: Callable[[list[Caught]], bool]) -> list[Caught]:
    """Read until it is enough; fails when it is not after a while."""
    seen: list[Caught] = []
    limit = time.monotonic() + LIMIT_S
    while not enough(seen):
        assert time.monotonic() < limit, f"{len(seen)} packets after {LIMIT_S} s"
        read(source, seen)
    return seen


def read_all(source: RingSource, silences: int = 2) -> list[Caught]:
    """Read until nothing has come for some rounds of a quarter of a second."""
    seen: list[Caught] = []
    quiet = 0
    while quiet < silences:
        before = len(seen)
        read(source, seen)
        quiet = quiet + 1 if len(seen) == before else 0
    return seen
