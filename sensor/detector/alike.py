"""Equal rows of a batch, found for less than a hundredth of what a row costs to score.

The flows of a flood or a scan are alike to the last bit: one packet each, of one length. A row's result does
not depend on the rows beside it, so equal rows have equal results and one of them is enough.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORTH_IT: Final = 0.95
"""With a larger share of different rows, gathering them costs more than the others save."""


def representatives(rows: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Return which rows of a float32 (n, k) stand for all: `rows[first][place]` is `rows`, bit by bit.

    `first` is (m,), `place` is (n,) with values below m. None when too many rows are different, and for no
    rows. Zeros of either sign are different, and so are NaNs of different bits.
    """
    if not len(rows) or not rows.shape[1]:
        return None
    bits = np.ascontiguousarray(rows).view(np.uint32)
    sums = np.einsum("ij,j->i", bits, _weights(bits.shape[1]))
    ordered = np.sort(sums)
    if np.count_nonzero(ordered[1:] != ordered[:-1]) + 1 > _WORTH_IT * len(rows):
        return None
    _, first, place = np.unique(sums, return_index=True, return_inverse=True)
    # Different rows may have one sum, by chance or because somebody made them so: they stand for themselves.
    wrong = np.flatnonzero((bits != bits[first][place]).any(axis=1))
    place[wrong] = len(first) + np.arange(len(wrong))
    return np.concatenate([first, wrong]), place


@lru_cache(maxsize=8)
def _weights(k: int) -> NDArray[np.uint64]:
    """Return odd numbers of 64 bits: a small whole number as a float32 has its lower bits zero."""
    weights: NDArray[np.uint64] = np.random.default_rng(k).integers(0, 1 << 63, k, np.uint64) * np.uint64(2)
    return weights + np.uint64(1)
