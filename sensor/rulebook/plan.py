"""Rules laid out for matching: each distinct condition once, and rules together that begin alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.batch import Batch, Condition, Mask
from sensor.rulebook.conditions import FlowBits
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.thresholdfile import Limits, Suppression

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Matches:
    """Which flows of a batch meet which alerting rules.

    Pair i is the flow at `rows[i]` and the rule at `places[i]` of the plan's `alerts`; pairs are in the
    order of the rows and, within one, of the rules. `passed` and `suppressed` count pairs left out.
    """

    rows: Rows
    places: Rows
    passed: int
    suppressed: int


NONE = Matches(np.empty(0, np.intp), np.empty(0, np.intp), 0, 0)


class Plan:
    """The rules of a folder in the order in which they are asked, ready for batches."""

    def __init__(self, rules: Sequence[Rule], limits: Limits) -> None:
        """Lay the rules out; rules that never alert are left aside."""
        self.alerts = tuple(rule for rule in rules if rule.action == "alert" and not rule.noalert)
        self._suppressions = [limits.suppressions_of(rule) for rule in self.alerts]
        self._conditions: list[Condition] = []
        numbers: dict[Condition, int] = {}
        self._asked = [self._numbered(rule, numbers) for rule in self.alerts]
        self._passes = [self._numbered(rule, numbers) for rule in rules if rule.action == "pass"]
        # Rules that begin with the same condition are ruled out together: by the bit of one class, say.
        self._alike: dict[int, list[int]] = {}
        for place, asked in enumerate(self._asked):
            self._alike.setdefault(asked[0], []).append(place)
        self._needs_bit = all(any(map(_wants_bit, rule.conditions)) for rule in self.alerts)

    def match(self, judged: ScoredFlows) -> Matches:
        """Return which flows of a batch meet which rules.

        A flow that meets a pass rule meets no other. Passing comes before suppression.
        """
        if not self._needs_bit:
            return self._match(judged)
        # No rule can match below the threshold, and few flows are above it: look at those alone.
        rows = np.flatnonzero(judged.above)
        if not len(rows):
            return NONE
        if 2 * len(rows) > len(judged):
            return self._match(judged)
        matches = self._match(judged.take(rows))
        return replace(matches, rows=rows[matches.rows])

    def _match(self, judged: ScoredFlows) -> Matches:
        batch = Batch(judged, self._conditions)
        found = self._found(batch)
        if not found:
            return NONE
        passes = self._passed(batch)
        passed = suppressed = 0
        kept: list[tuple[int, Rows]] = []
        for place, rows in found:
            left = rows if passes is None else rows[~passes[rows]]
            passed += len(rows) - len(left)
            told = left[~_suppressed(self._suppressions[place], judged, left)]
            suppressed += len(left) - len(told)
            kept.append((place, told))
        every_row = np.concatenate([rows for _, rows in kept])
        every_place = np.concatenate([np.full(len(rows), place) for place, rows in kept])
        order = np.lexsort((every_place, every_row))
        return Matches(every_row[order], every_place[order], passed, suppressed)

    def _numbered(self, rule: Rule, numbers: dict[Condition, int]) -> tuple[int, ...]:
        """Return the places of a rule's conditions, after giving one to each that is new."""
        for condition in rule.conditions:
            if condition not in numbers:
                numbers[condition] = len(self._conditions)
                self._conditions.append(condition)
        return tuple(numbers[condition] for condition in rule.conditions)

    def _found(self, batch: Batch) -> list[tuple[int, Rows]]:
        found: list[tuple[int, Rows]] = []
        for first, alike in self._alike.items():
            if batch.mask_at(first) is None:
                continue
            for place in alike:
                mask = batch.meets(self._asked[place])
                if mask is not None:
                    found.append((place, np.flatnonzero(mask)))
        return found

    def _passed(self, batch: Batch) -> Mask | None:
        together: Mask | None = None
        for asked in self._passes:
            mask = batch.meets(asked)
            if mask is not None:
                together = mask if together is None else together | mask
        return together


def _wants_bit(condition: Condition) -> bool:
    return isinstance(condition, FlowBits) and condition.wanted


def _suppressed(suppressions: Iterable[Suppression], judged: ScoredFlows, rows: Rows) -> Mask:
    """Say which of some rows are suppressed, as bool[len(rows)]."""
    away = np.zeros(len(rows), np.bool_)
    for one in suppressions:
        if one.addresses is None:
            return np.ones(len(rows), np.bool_)
        version = judged.flows["ip_version"][rows]
        if one.track != "by_dst":
            away |= one.addresses.mask(version, judged.flows["src"][rows])
        if one.track != "by_src":
            away |= one.addresses.mask(version, judged.flows["dst"][rows])
    return away
