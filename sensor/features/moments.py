"""Ratios, means and deviations over batches, from the sums that the engine keeps of each flow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def ratio(above: Float, below: Float) -> Float:
    """Return above / below, 0 where below is 0."""
    return np.divide(above, below, out=np.zeros(len(above)), where=below != 0)


def mean(total: Float, n: Float) -> Float:
    """Return total / n of n whole things; of no things, whose total is 0, that is 0."""
    return total / np.maximum(n, 1.0)


def moments(name: str, moments: Any, needed: bool = False) -> dict[str, Float]:
    """Return mean, sample deviation (n - 1), largest and smallest of times, in us.

    `moments` are the engine's, in ns, all 0 when nothing was counted: so are the four then, or, if
    something was `needed`, NaN. One time has deviation 0.
    """
    more = np.maximum(moments["n"], np.uint64(2)) - np.uint64(1)
    deviation = np.sqrt(moments["m2"] / more)
    values = {"mean": moments["mean"], "std": deviation, "max": moments["max"], "min": moments["min"]}
    divisor = np.where(moments["n"] > 0, 1e3, np.nan) if needed else 1e3
    return {f"{name}_{what}": value / divisor for what, value in values.items()}


def sample_variance(n: Any, total: Any, squares: Any) -> Float:
    """Return the variance (n - 1) of n whole numbers by their sum and sum of squares, 0 for n < 2.

    The three are uint64. The squares are first moved, in whole numbers, to deviations from the
    rounded mean: this is exact modulo 2**64 and leaves nothing large to be subtracted in float64,
    so that equal sizes have variance 0.
    """
    count = np.maximum(n, np.uint64(1))
    pkts = count.astype(np.float64)
    near = np.rint(total.astype(np.float64) / pkts).astype(np.uint64)
    rest = total - count * near
    moved = squares - near * (total + rest)
    left = rest.view(np.int64).astype(np.float64)
    spread = np.maximum(moved.astype(np.float64) - left * left / pkts, 0.0)
    variance: Float = spread / np.maximum(pkts - 1.0, 1.0)
    return variance
