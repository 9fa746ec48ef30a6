"""What happens to raw features before the network: defined numbers, signed logarithm, one scale.

    NaN -> fill; clip to +-1e18; sign(x) * log(1 + |x|); (x - mean) * scale; clip to +-limit

Flow features run over fifteen orders of magnitude and hold values that an attacker chooses. The
logarithm makes them comparable, the last clip bounds what one feature can do to a score. `apply` is
the reference in numpy; `write` puts the same float32 arithmetic into an ONNX graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from exporter.sheet import Sheet

LARGEST: Final = 1e18
"""Raw values are clipped here: far above any counter or microsecond, far below float32's end."""
_CONSTANT_STD: Final = 1e-6

Row = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessing:
    """The numbers of the preprocessing: float32 arrays of shape (k,), and the last clip's limit.

    `logarithm` False leaves out logarithm, mean and the last clip: trees need none of them, and
    their thresholds stand on values that no rounding may move. A scale of 0 silences a feature.
    """

    fill: Row
    mean: Row
    scale: Row
    limit: float
    logarithm: bool

    @classmethod
    def fit(cls, rows: NDArray[np.float32], *, limit: float = 8.0) -> Self:
        """Take the statistics from training rows, raw float32 (n, k), n at least 1.

        Mean and standard deviation are computed in float64 over the logarithms. A column that is
        constant in training gets scale 0: nothing was learnt about it, so it must not move a score.
        """
        fill = _medians(rows)
        logs = _signed_log(_bounded(rows, fill)).astype(np.float64)
        std = logs.std(axis=0)
        scale = np.where(std > _CONSTANT_STD, 1 / np.maximum(std, _CONSTANT_STD), 0)
        return cls(fill, logs.mean(axis=0).astype(np.float32), scale.astype(np.float32), limit, True)

    @classmethod
    def plain(cls, rows: NDArray[np.float32]) -> Self:
        """Only give NaN and infinity defined values; `rows` are raw float32 (n, k)."""
        fill = _medians(rows)
        return cls(fill, np.zeros_like(fill), np.ones_like(fill), 0.0, False)

    @property
    def width(self) -> int:
        """Return the number of features, k."""
        return len(self.fill)

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network sees of raw rows (n, k): float32 (n, k), always finite."""
        bounded = _bounded(rows, self.fill)
        if not self.logarithm:
            return bounded * self.scale
        scaled = (_signed_log(bounded) - self.mean) * self.scale
        return np.asarray(np.clip(scaled, -self.limit, self.limit), np.float32)

    def write(self, sheet: Sheet, features: str) -> str:
        """Write the same steps onto a sheet and return the name of the result, (N, k)."""
        missing = sheet.add("IsNaN", features)
        present = sheet.add("Where", missing, sheet.constant(self.fill), features)
        bounded = sheet.clip(present, -LARGEST, LARGEST)
        if not self.logarithm:
            return bounded
        one = sheet.number(1)
        logs = sheet.add("Log", sheet.add("Add", sheet.add("Abs", bounded), one))
        signed = sheet.add("Mul", sheet.sign(bounded), logs)
        centred = sheet.add("Sub", signed, sheet.constant(self.mean))
        scaled = sheet.add("Mul", centred, sheet.constant(self.scale))
        return sheet.clip(scaled, -self.limit, self.limit)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON values; float32 survives the way there and back exactly."""
        return {
            "fill": self.fill.tolist(),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "limit": self.limit,
            "logarithm": self.logarithm,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote. Raises KeyError, TypeError or ValueError for other things."""
        fill, mean, scale = (np.array(document[key], np.float32) for key in ("fill", "mean", "scale"))
        if any(row.ndim != 1 or row.shape != fill.shape for row in (fill, mean, scale)):
            raise ValueError("fill, mean and scale differ in length")
        return cls(fill, mean, scale, float(document["limit"]), bool(document["logarithm"]))


def _medians(rows: NDArray[np.float32]) -> Row:
    """Return the columns' medians, NaN and infinity left aside; 0 for a column without numbers."""
    finite = np.where(np.isfinite(rows), rows, np.nan).astype(np.float64)
    empty = np.isnan(finite).all(axis=0)
    finite[:, empty] = 0
    return np.nanmedian(finite, axis=0).astype(np.float32)


def _bounded(rows: NDArray[np.float32], fill: Row) -> NDArray[np.float32]:
    present = np.where(np.isnan(rows), fill, rows.astype(np.float32, copy=False))
    return np.asarray(np.clip(present, np.float32(-LARGEST), np.float32(LARGEST)), np.float32)


def _signed_log(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    logs: NDArray[np.float32] = np.sign(rows) * np.log(np.float32(1) + np.abs(rows))
    return logs
