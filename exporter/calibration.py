"""Thresholds and ranks from the scores of benign flows that no training step has seen."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sensor.detector import Budget
from sensor.errors import NettrusionError

MAX_ENTRIES: Final = 256

Table = tuple[tuple[float, float], ...]


def table(benign_scores: NDArray[np.floating[Any]]) -> Table:
    """Return (score, share of benign flows that score as high or higher), highest score first.

    At most 256 entries, dense where it matters: their ranks are spaced by a constant factor, from the
    highest score to the lowest.
    """
    scores = _descending(benign_scores)
    ranks = np.unique(np.geomspace(1, len(scores), MAX_ENTRIES).round().astype(np.int64))
    levels = np.unique(scores[ranks - 1])[::-1]
    at_least = len(scores) - np.searchsorted(scores[::-1], levels, side="left")
    shares = (at_least / len(scores)).tolist()
    return tuple(zip(levels.astype(np.float64).tolist(), shares, strict=True))


def threshold(benign_scores: NDArray[np.floating[Any]], false_positive_rate: float) -> tuple[float, Budget]:
    """Return the lowest threshold that keeps benign flows within a rate, and the budget it stands for.

    It lies midway between two neighbouring scores, so that rounding decides nothing; above all of
    them a tenth of the way to 1. The budget is certified when there are at least 3 / rate flows and
    the rate is kept: with fewer, not even zero false positives would show it (the rule of three).
    """
    if not 0 < false_positive_rate < 1:
        raise NettrusionError(f"a false-positive rate of {false_positive_rate} is not in 0 to 1")
    scores = _descending(benign_scores)
    allowed = int(np.floor(false_positive_rate * len(scores)))
    levels, counts = np.unique(scores, return_counts=True)
    at_least = counts[::-1].cumsum()[::-1]
    kept = np.flatnonzero(at_least <= allowed)
    if len(kept) == 0:
        value = float(levels[-1] + (1 - levels[-1]) / 10)
    elif kept[0] == 0:
        value = float(levels[0])
    else:
        value = (float(levels[kept[0] - 1]) + float(levels[kept[0]])) / 2
    above = int((scores >= value).sum())
    enough = len(scores) * false_positive_rate >= 3 and above <= allowed
    return value, Budget(false_positive_rate, len(scores), enough)


def _descending(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or len(values) == 0 or not ((values >= 0) & (values <= 1)).all():
        raise NettrusionError("calibration needs scores of benign flows, one number 0 to 1 each")
    return np.sort(values)[::-1]
