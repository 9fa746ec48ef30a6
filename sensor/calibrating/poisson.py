"""How many events there may be in truth, where some were counted.

The exact limits of a Poisson mean: Garwood, "Fiducial Limits for the Poisson Distribution", Biometrika 28 (1936).
One-sided, so that with no event at all the upper limit is -ln(0.05) = 3.0, the rule of three.
"""

import math
from collections.abc import Callable
from typing import Final

CONFIDENCE: Final = 0.95
_STEPS: Final = 100


def upper(count: int, confidence: float = CONFIDENCE) -> float:
    """Return the mean above which so few events as `count` come with a probability below 1 - confidence."""
    return _mean_where(lambda mean: _at_most(count, mean) < 1 - confidence, count)


def lower(count: int, confidence: float = CONFIDENCE) -> float:
    """Return the mean below which so many events as `count` come with a probability below 1 - confidence."""
    if count == 0:
        return 0.0
    return _mean_where(lambda mean: 1 - _at_most(count - 1, mean) >= 1 - confidence, count)


def most_within(mean: float) -> int:
    """Return the largest count whose upper limit is within a mean, -1 when that of none is."""
    low, high = -1, math.ceil(mean)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if upper(middle) <= mean else (low, middle - 1)
    return low


def _mean_where(beyond: Callable[[float], bool], count: int) -> float:
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def _at_most(count: int, mean: float) -> float:
    """Return the probability of at most `count` events; terms are added from the largest down, so none is lost."""
    if mean <= 0:
        return 1.0
    top = min(count, math.floor(mean))
    largest = math.exp(top * math.log(mean) - mean - math.lgamma(top + 1))
    total = term = largest
    for at in range(top, 0, -1):
        term *= at / mean
        total += term
        if term < total * 1e-17:
            break
    term = largest
    for at in range(top + 1, count + 1):
        term *= mean / at
        total += term
        if term < total * 1e-17:
            break
    return min(total, 1.0)
