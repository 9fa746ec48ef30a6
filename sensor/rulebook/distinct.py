"""How many different things were seen, in the memory of a line of text."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

SLOTS: Final = 1024
MOST: Final = round(SLOTS * math.log(SLOTS))
"""The largest number that is ever told: from there on every slot is taken."""

# The finaliser of splitmix64 (Steele, Lea and Flood 2014): neighbours in a range of addresses fall far apart.
_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
_ODD = 0x9E3779B97F4A7C15


class Distinct:
    """Counts different things by linear counting (Whang, Vander-Zanden and Taylor 1990).

    Each falls on one of 1024 slots by its hash, and the share of empty slots tells the number: exact for
    a few, within about 5 % up to two thousand, and never above `MOST`.
    """

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        """Begin with none."""
        self._taken = bytearray(SLOTS // 8)

    def add(self, slot: int) -> None:
        """Count the thing that falls on a slot, 0 to 1023."""
        self._taken[slot >> 3] |= 1 << (slot & 7)

    def estimate(self) -> int:
        """Return how many different things there were."""
        empty = SLOTS - int.from_bytes(self._taken).bit_count()
        return round(SLOTS * math.log(SLOTS / max(empty, 1)))


def slots_of(addresses: NDArray[np.uint8]) -> list[int]:
    """Return the slot of each address, uint8 of shape (n, 16)."""
    halves = np.ascontiguousarray(addresses).view(np.uint64)
    mixed: NDArray[np.uint64] = halves[:, 0] * np.uint64(_ODD) ^ halves[:, 1]
    for shift, factor in _STEPS:
        mixed = (mixed ^ mixed >> np.uint64(shift)) * np.uint64(factor)
    slots: list[int] = (mixed >> np.uint64(64 - 10)).tolist()
    return slots
