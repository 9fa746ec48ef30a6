"""Which candidate ships: recall at the alert budget decides, on rows that no report uses."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sensor.errors import NettrusionError
from training.evaluation.trials import Trial

TIE = 0.01
"""Recalls closer than this are a tie: one flow in a hundred is less than seeds differ by."""
Recalls = Sequence[tuple[float, float]]
"""One seed's mean recall over families that were learnt, and over those that were not; a pair a seed."""


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
class Rule:
    """How a run chooses.

    `rate` is the alert budget's false-positive rate; `by` says on whose calibration rows: of the sources
    that were learnt from (`same`), or of the kinds of data that were left out (`left_out_source`);
    `column` says what decides first, recall on families that were `learnt` or `unseen`, the other one
    breaks ties. A candidate above `cost_us` does not ship.
    """

    rate: float
    by: str = "same"
    column: str = "learnt"
    tie: float = TIE
    cost_us: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What one candidate reached at the alert budget, on calibration rows.

    `learnt` is the mean recall over families that it has learnt, `unseen` the mean over families that
    it has not, None when none was left out; each with median and range over seeds. A candidate is
    `shippable` when the exporter can write its score and reasons into one graph and it costs no more
    than the limit.
    """

    candidate: str
    network: bool
    shippable: bool
    seeds: int
    learnt: Spread
    unseen: Spread | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The standings, best first, the winner among the shippable, and the sentence that says why."""

    rule: Rule
    standings: list[Standing]
    winner: str
    reason: str

    @property
    def rate(self) -> float:
        """The false-positive rate at which was chosen."""
        return self.rule.rate

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def standing(
    name: str,
    rule: Rule,
    whole: Sequence[Trial],
    unseen: Mapping[str, Sequence[Trial]],
    left_out: Recalls | None = None,
) -> Standing:
    """Sum one candidate up, looking only at the rows that are there to choose by.

    Args:
        name: the candidate.
        rule: rate, and what limits the cost.
        whole: its trials on the whole split, a seed each.
        unseen: its trials without a family, by family.
        left_out: its recalls on kinds of data that were left out; they count instead where given.
    """
    if left_out is not None:
        learnt, strange = [pair[0] for pair in left_out], [pair[1] for pair in left_out]
    else:
        recalls = [[trial.choosing.at(rule.rate).macro_recall for trial in trials] for trials in unseen.values()]
        learnt = [trial.choosing.at(rule.rate).macro_recall for trial in whole]
        strange = [float(np.mean(one)) for one in zip(*recalls, strict=True)]
    first = whole[0].answers
    dear = rule.cost_us is not None and first.cost_us is not None and first.cost_us > rule.cost_us
    return Standing(
        candidate=name,
        network=first.kind != "baseline",
        shippable=first.exportable and not dear,
        seeds=len(whole),
        learnt=Spread.of(learnt),
        unseen=Spread.of(strange) if strange else None,
    )


def choose(standings: Sequence[Standing], rule: Rule) -> Choice:
    """Return the winner: best median recall at the budget in the rule's column, ties broken by the other.

    A tie that this does not break goes to the simpler one: `standings` are in the order of the candidates,
    the simplest baseline and the simplest network first.

    Among those that can ship, a network does only if no plain baseline stands before it. What cannot be
    exported is compared all the same, and the reason names it where it leads.

    Raises:
        NettrusionError: no candidate can be exported within the cost.
    """
    ranked = _ranked(standings, rule)
    able = [one for one in ranked if one.shippable]
    if not able:
        raise NettrusionError(
            "none of the candidates can be exported within the cost: name more of them, or raise budget.cost_us"
        )
    first, winner = ranked[0], able[0]
    rivals = [
        ("the best plain baseline", next((one for one in ranked if not one.network), None)),
        ("the best plain baseline that can ship", next((one for one in able if not one.network), None)),
        ("the best network", next((one for one in ranked if one.network), None)),
    ]
    reason, told = f"{first.candidate} reaches {_say(first)}", [first]
    for name, rival in rivals:
        if rival and rival not in told:
            reason += f"; {name}, {rival.candidate}, reaches {_say(rival)}"
            told.append(rival)
    if winner is not first:
        ahead = ", ".join(one.candidate for one in ranked[: ranked.index(winner)])
        reason += f"; {ahead} cannot be exported with reasons within the cost, {winner.candidate} can"
    return Choice(rule, ranked, winner.candidate, reason)


def median_seed(trials: Sequence[Trial], rate: float) -> Trial:
    """Return the trial whose recall at the budget is the (lower) median: not the luckiest seed."""
    ordered = sorted(trials, key=lambda trial: trial.choosing.at(rate).macro_recall)
    return ordered[(len(ordered) - 1) // 2]


def _ranked(standings: Sequence[Standing], rule: Rule) -> list[Standing]:
    """Return the standings best first; within the tie of the best left the other column decides, then their order."""
    second = "unseen" if rule.column == "learnt" else "learnt"

    def value(one: Standing, column: str) -> float:
        spread: Spread | None = getattr(one, column)
        return 0.0 if spread is None else spread.median

    left = list(standings)
    ranked = []
    while left:
        top = max(value(one, rule.column) for one in left)
        tied = [one for one in left if value(one, rule.column) >= top - rule.tie]
        best = max(tied, key=lambda one: value(one, second))
        ranked.append(best)
        left.remove(best)
    return ranked


def _say(one: Standing) -> str:
    unseen = "" if one.unseen is None else f" and {one.unseen.median:.3f} on unseen"
    return f"a recall of {one.learnt.median:.3f} on learnt{unseen} families"
