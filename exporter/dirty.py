"""Rows that no network should meet and every sensor must stand: NaN, infinity, the ends of float32."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ODD: Final = np.array(
    [np.nan, np.inf, -np.inf, 0, -0.0, -1, 1e-38, -1e-38, 1e-45, 3e38, -3e38, 1e18, -1e18, 1, 255],
    np.float32,
)


def dirty_rows(rows: NDArray[np.float32], count: int, seed: int = 1) -> NDArray[np.float32]:
    """Return `count` rows: real ones first, at most half, then such with odd values put in.

    `rows` are real raw features, float32 (n, k), n at least 1. Of the odd rows some have one odd
    value, some many, some nothing else. The same arguments give the same rows.
    """
    rng = np.random.default_rng(seed)
    clean = rows[: count // 2]
    odd = rows[rng.integers(0, len(rows), count - len(clean))].copy()
    k = rows.shape[1]
    share = rng.choice([1 / k, 0.1, 0.5, 1.0], size=(len(odd), 1))
    spoiled = rng.random(odd.shape) < share
    scale = np.float32(10) ** rng.integers(-3, 12, odd.shape).astype(np.float32)
    other = np.where(rng.random(odd.shape) < 0.5, rng.choice(_ODD, odd.shape), -odd * scale)
    odd[spoiled] = other[spoiled]
    odd[: len(_ODD)] = _ODD[: len(odd), None]
    return np.concatenate([clean, odd]).astype(np.float32)
