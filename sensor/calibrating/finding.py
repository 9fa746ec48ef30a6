"""The lowest threshold within a budget, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sensor.calibrating.gathered import Gathered
from sensor.calibrating.incidents import Counting
from sensor.calibrating.levels import TOP, score_of
from sensor.calibrating.loudest import Loud, loudest
from sensor.calibrating.poisson import most_within, upper
from sensor.calibration import AlertBudget, Calibration
from sensor.detector import BundleMeta
from sensor.rulebook import Reading
from sensor.traffic import ended

NEVER: Final = TOP + 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and what it comes to on the traffic.

    `threshold` is None where no score is high enough; `upper_per_day` is the 95 % limit of the alerts a day.
    """

    threshold: float | None
    alerts: int
    alerts_per_day: float
    upper_per_day: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What calibrating found.

    Attributes:
        budget: what was asked for.
        days, gaps: how much time was seen, and how often nothing was for more than an hour.
        first_ns, last_ns: from when to when.
        flows: flows seen.
        chosen: the lowest threshold whose rate is within the budget, or whose upper limit is, where that was asked.
        certain: the lowest one whose upper limit is within the budget; without a threshold where the time is too short.
        needed_days: how long one must look at least to certify the budget, without a single alert.
        certified: whether the upper limit of what was chosen is within the budget.
        limited: whether memory, and not the budget, set the threshold.
        alerts_by_class, flows_by_class: alerts, and flows that reach the threshold.
        top: the sources whose flows score highest, those that the threshold leaves out among them.
        calibration_table: shares of flows by score.
    """

    budget: AlertBudget
    days: float
    gaps: int
    first_ns: int
    last_ns: int
    flows: int
    chosen: Choice
    certain: Choice
    needed_days: float
    certified: bool
    limited: bool
    alerts_by_class: Mapping[str, int]
    flows_by_class: Mapping[str, int]
    top: tuple[Loud, ...]
    calibration_table: tuple[tuple[float, float], ...]


def calibrate(
    gathered: Gathered, reading: Reading, meta: BundleMeta, budget: AlertBudget, *, certain: bool = False
) -> Finding:
    """Find the lowest threshold that keeps traffic, with at least one flow, within a budget.

    Alerts are incidents, as the rules make them. With `certain` the 95 % upper limit of their rate is kept within
    the budget, else the rate itself.
    """
    period, levels = gathered.period, gathered.levels
    table = levels.table()
    counting = Counting(reading, gathered.rows(), meta.classes, table)
    days = max(period.days, 1e-9)
    allowed = int(budget.per_day * days + 1e-9)
    by_rate = _lowest(counting, allowed, gathered.floor_ppm)
    surely = most_within(budget.per_day * days)
    by_limit = _lowest(counting, surely, gathered.floor_ppm) if surely >= 0 else None
    ppm = by_limit if certain else by_rate
    choices = {at: _choice(gathered, counting, at, days) for at in {by_rate, by_limit}}
    chosen = choices[ppm]
    rows = gathered.rows()
    at_ppm = NEVER if ppm is None else ppm
    above = rows[(rows["ppm"] >= at_ppm) & ended(rows)]
    names, numbers = np.unique(above["class"], return_counts=True)
    return Finding(
        budget=budget,
        days=period.days,
        gaps=period.gaps,
        first_ns=period.first_ns,
        last_ns=period.last_ns,
        flows=levels.flows,
        chosen=chosen,
        certain=choices[by_limit],
        needed_days=upper(0) / budget.per_day,
        certified=chosen.threshold is not None and chosen.upper_per_day <= budget.per_day,
        limited=gathered.floor_ppm > 0 and ppm is not None and ppm <= counting.scores_ppm.min(initial=NEVER),
        alerts_by_class=counting.alerts(at_ppm),
        flows_by_class={
            meta.classes[name]: number for name, number in zip(names.tolist(), numbers.tolist(), strict=True)
        },
        top=loudest(rows, at_ppm, meta.classes),
        calibration_table=table,
    )


def calibration_of(finding: Finding, meta: BundleMeta) -> Calibration | None:
    """Return a finding as it is kept beside the model, None where no threshold was found."""
    if finding.chosen.threshold is None:
        return None
    return Calibration(
        model=f"{meta.name} {meta.version}",
        sha256=meta.sha256,
        threshold=finding.chosen.threshold,
        budget=finding.budget,
        certified=finding.certified,
        first_ns=finding.first_ns // 1000 * 1000,
        last_ns=finding.last_ns // 1000 * 1000,
        hours=finding.days * 24,
        flows=finding.flows,
        alerts=finding.chosen.alerts,
        table=finding.calibration_table,
    )


def _lowest(counting: Counting, allowed: int, floor_ppm: int) -> int | None:
    """Return the lowest score that makes no more alerts than allowed as a threshold, None when none does.

    By halving: a threshold above that of a larger budget is never lower. Where fewer flows should once make more
    incidents, it is one of the places where the number of them crosses what is allowed.
    """
    scores = counting.scores_ppm.tolist()
    if max([floor_ppm, *scores[-1:]]) < TOP:
        scores.append(max([floor_ppm, *(score + 1 for score in scores[-1:])]))
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        if sum(counting.alerts(scores[middle]).values()) <= allowed:
            high = middle
        else:
            low = middle + 1
    return int(scores[low]) if low < len(scores) else None


def _choice(gathered: Gathered, counting: Counting, ppm: int | None, days: float) -> Choice:
    if ppm is None:
        return Choice(None, 0, 0.0, upper(0) / days)
    alerts = sum(counting.alerts(ppm).values())
    return Choice(_between(gathered, counting, ppm), alerts, alerts / days, upper(alerts) / days)


def _between(gathered: Gathered, counting: Counting, ppm: int) -> float:
    """Return a threshold from a score on, midway to the next one below, so that rounding decides nothing.

    Above all scores it lies a tenth of the way to 1. Never below what memory let go.
    """
    scores = counting.scores_ppm
    if ppm not in scores:
        top = max(gathered.levels.next_below(NEVER) or 0, int(scores[-1]) if len(scores) else 0)
        return (top + (TOP - top) / 10) / TOP
    below = scores[: np.searchsorted(scores, ppm)]
    neighbours = [int(below[-1]) if len(below) else None, gathered.levels.next_below(ppm)]
    seen = [one for one in neighbours if one is not None]
    return (max(seen) + ppm) / 2 / TOP if seen else score_of(ppm)
