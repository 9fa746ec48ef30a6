"""What a detector costs on the gateway: microseconds a flow, scored as the sensor scores."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sensor.detector.session import BATCH, Session
from training.models.candidate import Floats

ROWS = 16 * BATCH
"""Flows that are scored: enough that the first batch's warming up is lost among the others."""
TURNS = 3


def microseconds(
    model: Any, rows: Floats, flows: int = ROWS, clock: Callable[[], float] = time.perf_counter
) -> float | None:
    """Return the microseconds a flow of an ONNX graph in the sensor's own session, the best of three turns.

    Score, classes and contributions, in the sensor's batches, on one thread. `rows` are real raw
    features (n, k), repeated until there are `flows`, each moved by a hair: the session runs equal rows
    once, and a flood of equal flows is not what a cost is told for. None without rows.
    """
    if not len(rows):
        return None
    repeated = np.resize(rows, (flows, rows.shape[1])).astype(np.float32)
    repeated[:, 0] += np.arange(flows, dtype=np.float32) / 1024
    session = Session(model if isinstance(model, bytes) else model.SerializeToString())
    session.run(repeated[:BATCH])
    took = []
    for _ in range(TURNS):
        begun = clock()
        session.run(repeated)
        took.append(clock() - begun)
    return round(1e6 * min(took) / flows, 3)


def machine() -> str:
    """Return what the cost was measured on: processor, cores, and how busy it was."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = os.cpu_count() or 1
    return f"{name}, {cores} cores, load {os.getloadavg()[0]:.1f} when the card was written, one thread"
