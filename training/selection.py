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


def choose(standings: Sequence[Standing], rate: float) -> Choice:
    """Return the winner: best median recall at the budget, ties broken by unseen families.

    A network ships only if no plain baseline stands before it; else the best baseline that the
    exporter can write ships.

    Raises:
        ValueError: no candidate can be exported.
    """
    ranked = _ranked(standings)
    able = [one for one in ranked if one.shippable]
    if not able:
        raise ValueError("none of the candidates can be exported")
    first = ranked[0]
    plain = next((one for one in ranked if not one.network), None)
    network = next((one for one in ranked if one.network), None)
    reason = f"{first.candidate} reaches {_say(first)}"
    if first.network:
        if plain:
            reason += f"; the best plain baseline, {plain.candidate}, reaches {_say(plain)}"
        return Choice(rate, ranked, first.candidate, reason)
    if network:
        reason += f"; the best network, {network.candidate}, reaches {_say(network)}"
    winner = next((one for one in able if not one.network), able[0])
    if winner is not first:
        reason += f"; {first.candidate} cannot be exported with reasons, {winner.candidate} can"
    return Choice(rate, ranked, winner.candidate, reason)


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
