"""What is handed on of traffic, some flows at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that a sensor wrote: packet time, ns since 1970, and the class that it was of."""

    time_ns: int
    class_name: str


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Scored flows, in the order in which a sensor judges them.

    `rows` is ROW[n]; `features` float32 (n, k), None out of events, which do not carry them. `alerts` are those
    that were written among these flows, none out of a capture, which nobody has judged yet.
    """

    rows: NDArray[np.void]
    features: NDArray[np.float32] | None = None
    alerts: tuple[Alert, ...] = ()
