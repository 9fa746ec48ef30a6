"""TPACKET_V3 blocks made in memory, as the kernel writes them, and an engine run over them.

Layout: linux/if_packet.h. A block begins with its 48-byte description; each packet has a 48-byte header, the
address that it came from (20 bytes, here left as zeros) and its bytes; one header points to the next, the last to
nothing.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.flows import PROFILES, FlowEngine, Framing, Profile

VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
HEADER = 48
TAGS = (b"\x81\x00", b"\x88\xa8")     # what Linux takes off; other tags stay among the bytes
NATIVE = {"little": "<", "big": ">"}[sys.byteorder]


@dataclass(frozen=True, slots=True)
class Shape:
    """How blocks are laid out; nothing of it may change a flow.

    Attributes:
        packets: in one block.
        private: bytes between a block's description and its first packet.
        gap: bytes between a packet's header and its bytes, beside the address.
        size: of a block; a longer one is made when its packets need it, 0 for what they take.
    """

    packets: int = 5
    private: int = 0
    gap: int = 18
    size: int = 0


Records = Iterable[tuple[int, int, bytes]]


def header(time_ns: int, wire: int, held: bytes, shape: Shape, last: bool) -> bytes:
    """Return one packet with its header; an outermost VLAN tag goes from its bytes to the header."""
    status, tag, kind = 1, 0, 0
    if held[12:14] in TAGS and len(held) >= 18:
        status |= VLAN_VALID | TPID_VALID
        kind, tag = struct.unpack(">HH", held[12:16])
        held, wire = held[:12] + held[16:], wire - 4
    place = HEADER + 20 + shape.gap
    following = (place + len(held) + 7) & ~7
    told = struct.pack(
        f"{NATIVE}6I2H2I2H8x",
        0 if last else following,
        *divmod(time_ns, 10**9),
        len(held),
        wire,
        status,
        place,
        place + 14,
        0,
        tag,
        kind,
        0,
    )
    return (told + bytes(20 + shape.gap) + held).ljust(following, b"\0")


def block(records: list[tuple[int, int, bytes]], shape: Shape = Shape()) -> bytes:
    """Return one block with all of these (time in ns, length on the wire, captured bytes) packets."""
    ends = range(1, len(records) + 1)
    body = b"".join(header(*one, shape, end == len(records)) for one, end in zip(records, ends, strict=True))
    first = HEADER + shape.private
    described = struct.pack(f"{NATIVE}6IQ4I", 3, HEADER, 1, len(records), first, first + len(body), 7, 0, 0, 0, 0)
    return (described + bytes(shape.private) + body).ljust(shape.size, b"\0")


def blocks(records: Records, shape: Shape = Shape()) -> Iterator[bytes]:
    """Yield the blocks of a stream of packets, and an empty one, which the kernel hands out on a silent wire."""
    held = list(records)
    for at in range(0, len(held), shape.packets):
        yield block(held[at : at + shape.packets], shape)
    yield block([], shape)


def feed(engine: FlowEngine, ring: Iterable[bytes], framing: Framing) -> list[NDArray[np.void]]:
    """Feed whole blocks and return what was taken on the way; a damaged block is left where it is damaged."""
    taken = []
    for one in ring:
        rest = memoryview(one)
        while rest:
            used = engine.feed(rest, framing)
            taken.append(engine.take())
            if framing.corrupt:
                break
            assert used, "a block that is in order is always used up"
            rest = rest[used:]
    return taken


def assemble(ring: Iterable[bytes], profile: Profile = PROFILES["wire"], *, link: int = 1, mtu: int = 0,
             max_flows: int = 1000) -> tuple[FlowEngine, Framing, NDArray[np.void]]:
    """Return the engine, the framing and every flow of a ring."""
    engine, framing = FlowEngine(profile, max_flows=max_flows), Framing.ring(link, mtu)
    taken = feed(engine, ring, framing)
    engine.finish()
    return engine, framing, np.concatenate([*taken, engine.take()])
