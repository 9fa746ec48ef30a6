"""The lowest threshold within a budget, and what is known of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
class Check:
    """What a threshold that was chosen on the earlier half of the time comes to on the later one.

    `found` is the threshold and its alerts on the later half, which took `days`: whoever chose it had not seen them, so
    that their limit holds as it stands.
    """

    found: Choice
    days: float


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
        check: what the same way of choosing comes to on traffic that was not chosen on; None where a half is too short.
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
    check: Check | None
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
    by_rate, by_limit = (
        _lowest_within(counting, budget, days, gathered.floor_ppm, certain=sure) for sure in (False, True)
    )
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
        check=_check(gathered, reading, meta, budget, certain=certain),
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


def _check(
    gathered: Gathered, reading: Reading, meta: BundleMeta, budget: AlertBudget, *, certain: bool
) -> Check | None:
    """Choose on the earlier half of the time and count on the later one."""
    earlier, later = gathered.period.halves()
    rows = gathered.rows()
    before = rows["end_ns"] <= earlier.last_ns
    if not earlier.days or not later.days or not before.any() or before.all():
        return None
    table = gathered.levels.table()
    known, new = (Counting(reading, rows[half], meta.classes, table) for half in (before, ~before))
    ppm = _lowest_within(known, budget, earlier.days, gathered.floor_ppm, certain=certain)
    if ppm is None:
        return None
    threshold = _between(known.scores_ppm, ppm, gathered.floor_ppm - 1)
    alerts = sum(new.alerts(math.ceil(threshold * TOP)).values())
    return Check(Choice(threshold, alerts, alerts / later.days, upper(alerts) / later.days), later.days)


def _lowest_within(
    counting: Counting, budget: AlertBudget, days: float, floor_ppm: int, *, certain: bool
) -> int | None:
    """Return the lowest score whose rate, or with `certain` its upper limit, is within a budget."""
    allowed = most_within(budget.per_day * days) if certain else int(budget.per_day * days + 1e-9)
    return _lowest(counting, allowed, floor_ppm) if allowed >= 0 else None


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
    below = gathered.levels.next_below(ppm)
    threshold = _between(counting.scores_ppm, ppm, -1 if below is None else below)
    return Choice(threshold, alerts, alerts / days, upper(alerts) / days)


def _between(scores: NDArray[np.uint32], ppm: int, below: int) -> float:
    """Return a threshold from a score on, midway to the next one below, so that rounding decides nothing.

    Above all scores it lies a tenth of the way to 1. `below` is the highest score below that is known of otherwise, as
    of flows that memory let go, -1 for none.
    """
    under: int = max([below, *scores[scores < ppm][-1:].tolist()])
    if ppm not in scores:
        return (max(under, 0) + (TOP - max(under, 0)) / 10) / TOP
    return (under + ppm) / 2 / TOP if under >= 0 else score_of(ppm)
