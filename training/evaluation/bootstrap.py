"""Intervals from resampled host pairs: flows between the same two hosts are not independent."""

import numpy as np
import numpy.typing as npt


def share_interval(
    hits: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.uint64],
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return the 2.5 % and 97.5 % bounds of the share of hits when whole groups are redrawn.

    None when there are fewer than five groups: one attacker and one victim are one observation,
    however many flows they exchanged.
    """
    _, member = np.unique(groups, return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    if count < 5:
        return None
    size = np.bincount(member, minlength=count).astype(np.float64)
    hit = np.bincount(member, weights=hits.astype(np.float64), minlength=count)
    picks = np.random.default_rng(seed).integers(0, count, (draws, count))
    shares = hit[picks].sum(axis=1) / size[picks].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)
