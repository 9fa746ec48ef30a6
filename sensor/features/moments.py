"""Ratios, means and deviations over batches, from the sums that the engine keeps of each flow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def ratio(above: Float, below: Float) -> Float:
    """Return above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below != 0)


def moments(name: str, moments: Any, none: float = 0.0) -> dict[str, Float]:
    """Return mean, sample deviation, largest and smallest in us; all `none` when nothing was counted."""
    n = moments["n"]
    some = n > 0
    deviation = np.sqrt(np.where(n > 1, moments["m2"] / np.maximum(n - 1.0, 1.0), 0.0))
    values = {"mean": moments["mean"], "std": deviation, "max": moments["max"], "min": moments["min"]}
    return {f"{name}_{what}": np.where(some, value / 1e3, none) for what, value in values.items()}


def sample_variance(n: Any, total: Any, squares: Any) -> Float:
    """Return the variance (n - 1) of n whole numbers by their sum and sum of squares, 0 for n < 2.

    The three are uint64. The squares are first moved, in whole numbers, to deviations from the
    rounded mean: this is exact modulo 2**64 and leaves nothing large to be subtracted in float64,
    so that equal sizes have variance 0.
    """
    count = np.maximum(n, np.uint64(1))
    near = np.rint(total / count).astype(np.uint64)
    moved = squares - near * (np.uint64(2) * total - count * near)
    rest = (total - count * near).view(np.int64).astype(np.float64)
    spread = np.maximum(moved.astype(np.float64) - rest * rest / count, 0.0)
    return np.where(n > 1, spread / np.maximum(count - 1.0, 1.0), 0.0)
