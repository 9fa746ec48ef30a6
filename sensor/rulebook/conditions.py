"""The conditions that a rule can ask of a scored flow, each for a whole batch at once."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.addresses import AddressSet
from sensor.rulebook.batch import Batch, Condition, Mask, Side
from sensor.rulebook.ports import PortSet
from sensor.rulebook.scored import ScoredFlows

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
OPERATORS: dict[Operator, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Direction = Literal["toserver", "toclient", "either", "both"]

ALERT_BIT = "ml.alert"
BIT_PREFIX = "ml."
FLOW_INTS = ("ml_score", "ml_budget_rank", "ml_threshold")


@dataclass(frozen=True, slots=True)
class FlowBits:
    """A flow bit of the detector is set; with `wanted` false, is not set. Of several, any one.

    `ml.alert` is set on flows at or above the threshold, `ml.<class>` on those of them whose
    likeliest class is that one. The bit of a class that the model does not know is never set.
    """

    names: tuple[str, ...]
    wanted: bool

    def mask(self, batch: Batch) -> Mask | None:
        """Say which flows have any of the bits as wanted."""
        if self.wanted and not batch.any_above:
            return None
        masks = [self._one(name, batch.scored) for name in self.names]
        any_bit: Mask = np.logical_or.reduce(masks) if len(masks) > 1 else masks[0]
        return any_bit

    def _one(self, name: str, scored: ScoredFlows) -> Mask:
        word = name.removeprefix(BIT_PREFIX)
        if name == ALERT_BIT:
            is_set: Mask = scored.above
        elif word in scored.class_names:
            is_set = scored.above & (scored.class_index == scored.class_names.index(word))
        else:
            is_set = np.zeros(len(scored), np.bool_)
        return is_set if self.wanted else ~is_set


@dataclass(frozen=True, slots=True)
class FlowInt:
    """A number of the detector compares with a value or with another of its numbers."""

    name: str
    operator: Operator
    value: int | str

    def mask(self, batch: Batch) -> Mask:
        """Say for which flows the comparison holds."""
        left = self._values(self.name, batch)
        right = self._values(self.value, batch) if isinstance(self.value, str) else self.value
        return np.broadcast_to(OPERATORS[self.operator](left, right), len(batch.scored))

    @staticmethod
    def _values(name: str, batch: Batch) -> NDArray[np.int64] | int:
        if name == "ml_score":
            return batch.scored.score_permille
        if name == "ml_budget_rank":
            return batch.scored.budget_rank
        return batch.scored.threshold_permille


@dataclass(frozen=True, slots=True)
class Always:
    """A condition that every flow meets, or none: `flowint:ml_score,isset` and its opposite."""

    answer: bool

    def mask(self, batch: Batch) -> Mask:
        """Return the one answer for every flow."""
        return np.full(len(batch.scored), self.answer)


@dataclass(frozen=True, slots=True)
class Number:
    """A count of the flow compares with a number, or lies strictly between two of them.

    `quantity` is `age`, `pkts` or `bytes`; the latter two are counted towards the server, the
    client, in either of the two, or in both.
    """

    quantity: Literal["age", "pkts", "bytes"]
    direction: Direction | None
    tests: tuple[tuple[Operator, int], ...]
    negated: bool = False

    def mask(self, batch: Batch) -> Mask:
        """Say for which flows the comparison holds."""
        if self.direction is None:
            return self._test(batch.column(self.quantity))
        if self.direction in ("toserver", "toclient"):
            return self._test(batch.column(f"{self.quantity}_{self.direction}"))
        there = self._test(batch.column(f"{self.quantity}_toserver"))
        back = self._test(batch.column(f"{self.quantity}_toclient"))
        met: Mask = there | back if self.direction == "either" else there & back
        return met

    def _test(self, values: NDArray[np.int64]) -> Mask:
        results = [OPERATORS[word](values, number) for word, number in self.tests]
        met: Mask = np.logical_and.reduce(results)
        return np.logical_not(met) if self.negated else met


@dataclass(frozen=True, slots=True)
class IpProtocol:
    """The flow's IP protocol is one of some numbers, and it goes over IPv4, IPv6 or either.

    No numbers: any protocol. Each number may be held to one version of IP.
    """

    numbers: tuple[tuple[int, int], ...]
    versions: tuple[int, ...] = (4, 6)

    def mask(self, batch: Batch) -> Mask:
        """Say which flows are of the protocol."""
        flows = batch.scored.flows
        version = flows["ip_version"]
        if not self.numbers:
            masks = [version == one for one in self.versions]
        else:
            proto = flows["proto"]
            masks = [(proto == number) & (version == one) for number, one in self.numbers]
        of_it: Mask = np.logical_or.reduce(masks)
        return of_it


@dataclass(frozen=True, slots=True)
class AddressIn:
    """The address of one side is in a group."""

    side: Side
    addresses: AddressSet

    def mask(self, batch: Batch) -> Mask:
        """Say which flows have such an address."""
        flows = batch.scored.flows
        return self.addresses.mask(flows["ip_version"], flows[self.side])


@dataclass(frozen=True, slots=True)
class PortIn:
    """The port of one side is in a group; a flow without ports has port 0."""

    side: Side
    ports: PortSet

    def mask(self, batch: Batch) -> Mask:
        """Say which flows have such a port."""
        return self.ports.mask(batch.scored.flows[f"{self.side}_port"])


@dataclass(frozen=True, slots=True)
class EitherWay:
    """A rule with `<>`: the flow meets the one set of conditions or the other."""

    there: tuple[Condition, ...]
    back: tuple[Condition, ...]

    def mask(self, batch: Batch) -> Mask | None:
        """Say which flows meet all of either."""
        there, back = _all_of(self.there, batch), _all_of(self.back, batch)
        if there is None or back is None:
            return back if there is None else there
        return there | back


def _all_of(conditions: tuple[Condition, ...], batch: Batch) -> Mask | None:
    together: Mask | None = None
    for condition in conditions:
        mask = condition.mask(batch)
        if mask is None:
            return None
        together = mask if together is None else together & mask
    return together


@dataclass(frozen=True, slots=True)
class AppProtocol:
    """The flow's application protocol is one of some names; with `negated`, is none of them.

    `failed` is the name of a flow whose protocol was looked for and not found. No flow of a source
    that never looks meets the condition, negated or not.
    """

    names: frozenset[str]
    negated: bool

    def mask(self, batch: Batch) -> Mask:
        """Say which flows speak it."""
        protocols, n = batch.scored.app_proto, len(batch.scored)
        if protocols is None:
            return np.zeros(n, np.bool_)
        met = (((name or "failed") in self.names) != self.negated for name in protocols)
        return np.fromiter(met, np.bool_, n)
