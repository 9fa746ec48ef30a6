"""Figures of weighted flows, and intervals for them from redrawn groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.uint64] | npt.NDArray[np.int64]
FEWEST_GROUPS = 5
"""Fewer groups than this tell nothing of how another draw of them would look."""


def alike(groups: npt.NDArray[np.int64], weight: Floats) -> Floats:
    """Return weights (n,) that make every group count alike, and rows within it as `weight` (n,) has it."""
    _, member = np.unique(groups, return_inverse=True)
    total = np.bincount(member, weights=weight)
    shares: Floats = weight / np.where(total > 0, total, 1.0)[member]
    return shares


@dataclass(frozen=True, slots=True)
class Side:
    """Scores of flows, what of them is redrawn as a whole, and how much each counts; all of shape (n,)."""

    score: Floats
    groups: Groups
    weight: Floats

    def drawn(self) -> "_Drawn":
        """Return the rows as members of groups that can be redrawn."""
        _, member = np.unique(self.groups, return_inverse=True)
        return _Drawn(int(member.max(initial=-1)) + 1, member, self.weight)


@dataclass(frozen=True, slots=True)
class _Drawn:
    count: int
    member: npt.NDArray[np.int64]
    weight: Floats

    @property
    def enough(self) -> bool:
        """Whether another draw of the groups would tell anything."""
        return self.count >= FEWEST_GROUPS

    def at(self, generator: np.random.Generator | None) -> Floats:
        """Return the rows' weights in another draw of the groups; their own without a generator."""
        if generator is None or not self.enough:
            return self.weight
        times = np.bincount(generator.integers(0, self.count, self.count), minlength=self.count)
        return times[self.member] * self.weight


@dataclass(frozen=True, slots=True)
class Area:
    """A ROC-AUC and its 95 % interval, None where either side has too few groups to redraw."""

    value: float
    interval: tuple[float, float] | None


def areas(benign: Side, attacks: Sequence[Side], draws: int = 200, seed: int = 0) -> list[Area]:
    """Return for each of some attacks the chance that a weighted draw of it scores above one of the benign.

    That is the area under the ROC curve; ties count half. Intervals are percentiles over draws of whole
    groups of both sides. NaN where a side is empty.
    """
    generator = np.random.default_rng(seed)
    values, place = np.unique(benign.score, return_inverse=True)
    quiet, loud = benign.drawn(), [attack.drawn() for attack in attacks]
    below = [np.searchsorted(values, attack.score, "left") for attack in attacks]
    upto = [np.searchsorted(values, attack.score, "right") for attack in attacks]
    found = np.full((draws + 1, len(attacks)), np.nan)
    for draw in range(draws + 1 if quiet.enough else 1):
        chance = generator if draw else None
        counts = np.bincount(place, weights=quiet.at(chance), minlength=len(values))
        sums = np.append(0.0, np.cumsum(counts))
        for number, one in enumerate(loud):
            if draw and not one.enough:
                continue
            weight = one.at(chance)
            total = weight.sum() * sums[-1]
            if total > 0:
                found[draw, number] = weight @ (sums[below[number]] + sums[upto[number]]) / 2 / total
    return [
        Area(float(found[0, number]), _bounds(found[1:, number]) if quiet.enough and one.enough else None)
        for number, one in enumerate(loud)
    ]


def mean_interval(
    value: Floats, weight: Floats, groups: Groups, draws: int = 1000, seed: int = 0
) -> tuple[float, float] | None:
    """Return the 2.5 % and 97.5 % bounds of a weighted mean of values (n,) when whole groups are redrawn.

    None when there are fewer than five groups.
    """
    _, member = np.unique(groups, return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    if count < FEWEST_GROUPS:
        return None
    size = np.bincount(member, weights=weight, minlength=count)
    hit = np.bincount(member, weights=weight * value, minlength=count)
    # Groups that are alike in both are interchangeable: one draw of their number serves them all.
    kinds, times = np.unique(np.stack([hit, size]), axis=1, return_counts=True)
    picks = np.random.default_rng(seed).multinomial(count, times / count, draws)
    with np.errstate(invalid="ignore"):
        shares = (picks @ kinds[0]) / (picks @ kinds[1])
    return _bounds(shares)


def _bounds(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
