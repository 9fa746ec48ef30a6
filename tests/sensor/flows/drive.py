"""Driving the engine in tests: a whole capture in, its flow records out, as an array or as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.flows import FlowEngine, Framing, Profile
from tests.sensor.flows.reference_record import Record

Flows = NDArray[np.void]


def feed(engine: FlowEngine, data: bytes, framing: Framing, sizes: Iterable[int] = ()) -> list[Flows]:
    """Feed a capture in parts of the given sizes (the rest in one) and return what was taken on the way.

    What the engine leaves of a part is offered again together with the next, as a source does.
    """
    taken: list[Flows] = []
    begin = end = 0
    for size in (*sizes, len(data)):
        end = min(end + size, len(data))
        while True:
            consumed = engine.feed(data[begin:end], framing)
            begin += consumed
            taken.append(engine.take())
            if not consumed:
                break
    return taken


def assemble(data: bytes, profile: Profile, *, max_flows: int = 262144, sizes: Iterable[int] = ()) -> Flows:
    """Return every flow of a capture, in the order in which they end."""
    engine = FlowEngine(profile, max_flows=max_flows)
    taken = feed(engine, data, Framing.sniff(data[:4]), sizes)
    engine.finish()
    taken.append(engine.take())
    return np.concatenate(taken)


def plain(flow: np.void) -> Record:
    """Return one record as plain values, nested fields under dotted names, as the reference writes them."""
    told: Record = {}
    for name in flow.dtype.names or ():
        value: Any = flow[name]
        if isinstance(value, np.void):
            told |= {f"{name}.{field}": inner for field, inner in plain(value).items()}
        elif name in ("src", "dst"):
            told[name] = bytes(value)
        else:
            told[name] = tuple(value.tolist()) if value.shape else value.item()
    return told
