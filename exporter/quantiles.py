"""Where the benign training rows of each feature lie: what a sensor compares its own flows with."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PARTS: Final = 10


@dataclass(frozen=True, slots=True)
class Quantiles:
    """For each feature (value, rows below it, rows at or below it) by rising value, of `flows` rows."""

    flows: int
    features: tuple[tuple[tuple[float, int, int], ...], ...]

    @classmethod
    def of(cls, benign: NDArray[np.floating[Any]], silent: NDArray[np.bool_]) -> "Quantiles | None":
        """Return the deciles of raw benign rows, float32 (n, k); None of no rows.

        A decile is a value that occurs (the inverse of the empirical distribution), and a value that
        is several deciles at once stands once, with both counts: a feature that is zero in most flows
        has an edge at 0 and the exact number of rows that lie there, so that ties blur nothing. A
        feature that is `silent`, bool (k,), because no network of the bundle reads it, has none.
        """
        if not len(benign):
            return None
        columns = np.sort(np.asarray(benign, np.float32), axis=0).T
        rows = [() if quiet else _edges(column) for column, quiet in zip(columns, silent, strict=True)]
        return cls(len(benign), tuple(rows))

    @classmethod
    def from_json(cls, document: Any) -> "Quantiles":
        """Return what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        rows = document["features"]
        return cls(
            int(document["flows"]),
            tuple(tuple((float(value), int(below), int(within)) for value, below, within in row) for row in rows),
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {"flows": self.flows, "features": [[list(edge) for edge in row] for row in self.features]}


def _edges(ascending: NDArray[np.float32]) -> tuple[tuple[float, int, int], ...]:
    places = np.ceil(np.arange(1, PARTS) * len(ascending) / PARTS).astype(np.int64) - 1
    values = np.unique(ascending[places])
    below = np.searchsorted(ascending, values, side="left").tolist()
    within = np.searchsorted(ascending, values, side="right").tolist()
    return tuple(zip(map(_short, values), below, within, strict=True))


def _short(value: np.float32) -> float:
    """Return the float of fewest digits that is this float32 again when rounded to one."""
    return float(str(value))
