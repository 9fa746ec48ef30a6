"""Whole flow records, moved as the bytes that they are.

numpy copies a nested structured type field by field, a hundred microseconds for one record of FLOW_DTYPE; as raw
bytes it takes one or two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sensor.flows.engine import FLOW_DTYPE

_RAW = np.dtype((np.void, FLOW_DTYPE.itemsize))


def pick(flows: NDArray[np.void], rows: Sequence[int] | NDArray[np.integer]) -> NDArray[np.void]:
    """Return a copy, shape (len(rows),), of some rows of a table of flows."""
    wanted = np.asarray(rows, dtype=np.intp)
    return np.ascontiguousarray(flows.view(_RAW)[wanted]).view(FLOW_DTYPE)


def join(records: Iterable[np.void]) -> NDArray[np.void]:
    """Return single flow records as one table, shape (how many,)."""
    return np.frombuffer(bytearray().join(record.tobytes() for record in records), dtype=FLOW_DTYPE)
