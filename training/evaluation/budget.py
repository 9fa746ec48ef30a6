"""Alert budgets: from a share of false alerts to a threshold, and what the data can vouch for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CERTIFYING = 3.0
"""Zero false positives among n benign flows bound the rate by about 3/n at 95 %."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and what it was chosen from.

    A flow is alerted when its score is at least `threshold`. `flows` benign calibration flows were
    looked at; with fewer than 3 / rate of them the rate `cannot be certified`.
    """

    rate: float
    threshold: float
    flows: int

    @property
    def certified(self) -> bool:
        """Whether there were enough benign flows for this rate to mean anything."""
        return self.flows >= CERTIFYING / self.rate

    @property
    def verdict(self) -> str:
        """The word that stands beside every figure at this budget."""
        return "certified" if self.certified else "cannot be certified"


def operating_point(
    benign: npt.NDArray[np.float64], rate: float, weight: npt.NDArray[np.float64] | None = None
) -> OperatingPoint:
    """Return the lowest threshold that at most `rate` of the benign scores reach.

    It lies midway between the highest score that must not alert and the next one above; above all
    benign scores when not even one may alert. With a weight for each score it is `rate` of the weight, and
    `flows` is how many equal ones tell as much: (sum w)^2 / sum w^2 (Kish, Survey Sampling, 1965).

    Raises:
        ValueError: there is no benign score.
    """
    if not len(benign):
        raise ValueError("a threshold needs benign scores")
    if weight is None:
        weight = np.ones(len(benign))
    values, place = np.unique(np.asarray(benign, dtype=np.float64), return_inverse=True)
    counts = np.bincount(place, weights=weight)
    reached = np.cumsum(counts[::-1])[::-1]
    quiet = np.flatnonzero(reached <= rate * weight.sum() * (1 + 1e-12))
    first = int(quiet[0]) if len(quiet) else len(values)
    if first == len(values):
        threshold = float(np.nextafter(values[-1], np.inf))
    elif first == 0:
        threshold = float(values[0])
    else:
        threshold = float((values[first - 1] + values[first]) / 2)
    return OperatingPoint(rate, threshold, int(weight.sum() ** 2 / (weight**2).sum() + 1e-6))


def precision(recall: float, false_rate: float, base_rate: float) -> float:
    """Return the share of alerts that are true when `base_rate` of all flows are attacks."""
    true = recall * base_rate
    false = false_rate * (1.0 - base_rate)
    return true / (true + false) if true + false > 0 else 0.0


def upper_bound(false_positives: int, flows: int) -> float:
    """Return a 95 % upper bound of a false-positive rate: 3/n for none, else Wilson's."""
    if flows == 0:
        return 1.0
    if false_positives == 0:
        return min(1.0, CERTIFYING / flows)
    z = 1.645
    share = false_positives / flows
    middle = share + z * z / (2 * flows)
    spread = z * np.sqrt(share * (1 - share) / flows + z * z / (4 * flows * flows))
    return float(min(1.0, (middle + spread) / (1 + z * z / flows)))
