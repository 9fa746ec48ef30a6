"""Captures made in memory: classic pcap and pcapng around frames, and an engine run over them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.flows import PROFILES, FlowEngine, Framing, Profile

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Frame:
    """One captured frame: time in ns, the bytes captured, and how long it was on the wire."""

    ts_ns: int
    data: bytes
    wire: int | None = None


def pcap(frames: Iterable[Frame], link: int = 1, *, order: str = "<", nano: bool = True, header: bool = True) -> bytes:
    """Return a classic pcap file."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)] if header else []
    for frame in frames:
        fraction = frame.ts_ns % SECOND if nano else frame.ts_ns % SECOND // 1000
        wire = len(frame.data) if frame.wire is None else frame.wire
        out.append(struct.pack(order + "IIII", frame.ts_ns // SECOND, fraction, len(frame.data), wire) + frame.data)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Return one pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    """Return a section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, *, order: str = "<", tsresol: int | None = None, offset_s: int | None = None) -> bytes:
    """Return an interface description block."""
    options = b""
    if tsresol is not None:
        options += struct.pack(order + "HHB3x", 9, 1, tsresol)
    if offset_s is not None:
        options += struct.pack(order + "HHq", 14, 8, offset_s)
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)


def enhanced(ticks: int, data: bytes, *, number: int = 0, order: str = "<", wire: int | None = None) -> bytes:
    """Return an enhanced packet block with the time in the interface's own ticks."""
    head = struct.pack(
        order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data) if wire is None else wire
    )
    return block(6, head + data + bytes(-len(data) % 4), order)


def run(
    capture: bytes | Sequence[bytes], profile: Profile = PROFILES["wire"], *, max_flows: int = 4096
) -> tuple[FlowEngine, NDArray[np.void]]:
    """Feed one capture, or several after each other, and return the engine and all its flows."""
    engine = FlowEngine(profile, max_flows=max_flows)
    batches = []
    for one in [capture] if isinstance(capture, bytes) else capture:
        framing, at = Framing.sniff(one[:4]), 0
        while True:
            taken = engine.feed(one[at:], framing)
            at += taken
            if engine.pending:
                batches.append(engine.take())
            elif not taken:
                break
    engine.finish()
    batches.append(engine.take())
    return engine, np.concatenate(batches)
