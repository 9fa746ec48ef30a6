"""What to do about a model, by what was seen in one stretch of time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sensor.calibrating import lower
from sensor.drift import LEAST_FLOWS
from sensor.fit.seen import Seen
from sensor.fit.standard import Standard


class Verdict(IntEnum):
    """What to do, the graver the greater."""

    few = -1
    ok = 0
    watch = 1
    recalibrate = 2
    retrain = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """From which value on a figure is worth which verdict.

    They are conventions, not measured on anybody's network: 0.1 and 0.25 are those of the stability index in credit
    scoring (Siddiqi 2006), taken for distances too. Against a bundle, whose flows are another network's, larger
    ones: such a level says that the model has not learnt this network, not that anything has changed.
    """

    watch_distance: float
    distance: float
    watch_stability: float
    stability: float


LIMITS: Final = {"own": Limits(0.1, 0.25, 0.1, 0.25), "bundle": Limits(0.25, 0.5, math.inf, math.inf)}
RETRAIN_DISTANCE: Final = 0.75
"""Scores that have so little in common with those expected tell flows apart in another way than they should."""
WATCH_FEATURES: Final = 0.4
RETRAIN_FEATURES: Final = 0.5
"""On average over the features, half of the flows lie where those of training did not."""
WATCH_TIMES: Final = 3.0
TIMES: Final = 10.0
"""So many times the share of flows that the bundle's own budget allows: one scan can do the former."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, its reasons, the gravest first, and the figures.

    `alerts_per_day` is None where less than a minute was seen, `distance` and `stability` where there are too few
    flows, `features` and `worst` (names and distances) where the features are not known.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    alerts: int
    alerts_per_day: float | None
    share: float
    distance: float | None = None
    stability: float | None = None
    features: float | None = None
    worst: tuple[tuple[str, float], ...] = ()


def judge(seen: Seen, standard: Standard) -> Judgement:
    """Return what to do by one stretch of time; nothing below 256 flows (`sensor.drift.LEAST_FLOWS`)."""
    alerts, days = sum(seen.alerts.values()), seen.period.days
    share = sum(seen.reaching.values()) / max(1, seen.flows)
    per_day = alerts / days if days * 1440 >= 1 else None
    if seen.flows < LEAST_FLOWS or seen.scores is None:
        return Judgement(Verdict.few, (f"fewer than {LEAST_FLOWS} flows",), alerts, per_day, share)
    distance, stability = standard.spread.distance(seen.scores), standard.spread.stability(seen.scores)
    features: float | None = None
    worst: tuple[tuple[str, float], ...] = ()
    if seen.points is not None and seen.looked >= LEAST_FLOWS and standard.features.names:
        distances = standard.features.distances(seen.points / seen.looked)
        features = float(distances.mean())
        ranked = sorted(zip(standard.features.names, distances.tolist(), strict=True), key=lambda one: -one[1])
        worst = tuple(one for one in ranked[:5] if one[1] > 0)
    # Two samples of one distribution lie so far apart in one case of twenty (Kolmogorov's limit).
    noise = 1.36 / math.sqrt(seen.flows)
    found = [
        *_by_alerts(alerts, days, share, standard),
        *_by_scores(distance, stability, noise, standard),
        *_by_features(features, noise, worst, whole=standard.told is None),
    ]
    found.sort(key=lambda one: -one[0])
    verdict = found[0][0] if found else Verdict.ok
    reasons = tuple(reason for grave, reason in found if grave >= Verdict.watch)
    return Judgement(verdict, reasons, alerts, per_day, share, distance, stability, features, worst)


def _by_alerts(alerts: int, days: float, share: float, standard: Standard) -> Iterator[tuple[Verdict, str]]:
    budget = standard.budget
    if budget is None:
        expected = standard.share or 0.0
        for times, verdict in ((TIMES, Verdict.recalibrate), (WATCH_TIMES, Verdict.watch)):
            if share > times * expected:
                words = f"{share:.2%} of flows reach the threshold, more than {times:g} times the {expected:.2%}"
                yield verdict, f"{words} of the bundle"
                return
    elif lower(alerts) > budget.per_day * days:
        yield (
            Verdict.recalibrate,
            f"{alerts:,} alerts where {budget} allows {budget.per_day * days:.1f}",
        )
    elif alerts > budget.per_day * days and alerts > 1:
        yield Verdict.watch, f"{alerts:,} alerts where {budget} allows {budget.per_day * days:.1f}, maybe by chance"


def _by_scores(distance: float, stability: float, noise: float, standard: Standard) -> Iterator[tuple[Verdict, str]]:
    limits = LIMITS[standard.basis]
    whose = "those calibrated on" if standard.basis == "own" else "the benign ones of training"
    far = f"scores lie {distance:.2f} from {whose}"
    for limit, verdict in (
        (RETRAIN_DISTANCE, Verdict.retrain),
        (limits.distance, Verdict.recalibrate),
        (limits.watch_distance, Verdict.watch),
    ):
        if distance - noise >= limit:
            yield verdict, f"{far} (limit {limit:g})"
            break
    for limit, verdict in ((limits.stability, Verdict.recalibrate), (limits.watch_stability, Verdict.watch)):
        if stability >= limit + noise**2:
            yield verdict, f"stability index {stability:.2f} (limit {limit:g})"
            return


def _by_features(
    features: float | None, noise: float, worst: tuple[tuple[str, float], ...], *, whole: bool
) -> Iterator[tuple[Verdict, str]]:
    """Yield what features say; the few that events tell are no ground to train anew, only to look closer."""
    if features is None:
        return
    names = ", ".join(f"{name} {far:.2f}" for name, far in worst[:3])
    for limit, verdict in ((RETRAIN_FEATURES, Verdict.retrain), (WATCH_FEATURES, Verdict.watch)):
        if features - noise >= limit:
            yield (
                verdict if whole else Verdict.watch,
                f"features lie {features:.2f} from training (limit {limit:g}): {names}",
            )
            return
