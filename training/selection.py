"""Which candidate ships: recall at the alert budget decides, on rows that no report uses."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.evaluation.trials import Trial

TIE = 0.01
"""Recalls closer than this are a tie: one flow in a hundred is less than seeds differ by."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range over seeds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some numbers."""
        return cls(float(np.median(values)), float(min(values)), float(max(values)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What one candidate reached at the alert budget, on calibration rows.

    `same_day` is the mean recall over families that it has learnt, `unseen` the mean over families
    of the recall of each when it was left out; each with median and range over seeds. A candidate
    is `shippable` when the exporter can write its score and reasons into one graph.
    """

    candidate: str
    network: bool
    shippable: bool
    seeds: int
    same_day: Spread
    unseen: Spread


@dataclass(frozen=True, slots=True)
class Choice:
    """The standings, best first, the winner among the shippable, and the sentence that says why."""

    rate: float
    standings: list[Standing]
    winner: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def standing(name: str, rate: float, same_day: Sequence[Trial], unseen: Mapping[str, Sequence[Trial]]) -> Standing:
    """Sum one candidate up from its trials, looking only at the rows that trials choose on."""
    left_out = [[trial.choosing.at(rate).macro_recall for trial in trials] for trials in unseen.values()]
    per_seed = [float(np.mean(one)) for one in zip(*left_out, strict=True)] or [0.0]
    return Standing(
        candidate=name,
        network=same_day[0].fitted.kind != "baseline",
        shippable=same_day[0].fitted.network is not None,
        seeds=len(same_day),
        same_day=Spread.of([trial.choosing.at(rate).macro_recall for trial in same_day]),
        unseen=Spread.of(per_seed),
    )


def choose(standings: Sequence[Standing], rate: float, too_dear: Mapping[str, float] | None = None) -> Choice:
    """Return the winner: best median recall at the budget, ties broken by unseen families.

    Only what the sensor can run may win: candidates that the exporter can write with reasons and that are not
    `too_dear`, candidate -> microseconds of CPU a flow. Whoever stands before the winner is named with the reason
    against it, and so is the best of the other kind, network or plain baseline.

    Raises:
        ValueError: no candidate can be exported at a cost that the sensor has.
    """
    dear = too_dear or {}
    ranked = _ranked(standings)
    winner = next((one for one in ranked if one.shippable and one.candidate not in dear), None)
    if winner is None:
        raise ValueError("none of the candidates can be exported at a cost that the sensor has")
    said = [f"{winner.candidate} reaches {_say(winner)}"]
    for one in ranked[: ranked.index(winner)]:
        against = "cannot be exported with reasons"
        if one.candidate in dear:
            against = f"costs {dear[one.candidate]:.0f} microseconds of CPU a flow, more than the sensor has"
        said.append(f"{one.candidate} reaches {_say(one)}, but {against}")
    other = next((one for one in ranked[ranked.index(winner) :] if one.network != winner.network), None)
    if other:
        kind = "the best network" if other.network else "the best plain baseline that could ship"
        said.append(f"{kind}, {other.candidate}, reaches {_say(other)}")
    return Choice(rate, ranked, winner.candidate, "; ".join(said))


def median_seed(trials: Sequence[Trial], rate: float) -> Trial:
    """Return the trial whose recall at the budget is the (lower) median: not the luckiest seed."""
    ordered = sorted(trials, key=lambda trial: trial.choosing.at(rate).macro_recall)
    return ordered[(len(ordered) - 1) // 2]


def _ranked(standings: Sequence[Standing]) -> list[Standing]:
    """Return the standings best first; within TIE of the best left, unseen families decide."""
    left = list(standings)
    ranked = []
    while left:
        top = max(one.same_day.median for one in left)
        tied = [one for one in left if one.same_day.median >= top - TIE]
        best = max(tied, key=lambda one: (one.unseen.median, one.same_day.median))
        ranked.append(best)
        left.remove(best)
    return ranked


def _say(one: Standing) -> str:
    return f"a recall of {one.same_day.median:.3f} on learnt and {one.unseen.median:.3f} on left-out families"
