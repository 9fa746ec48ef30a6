"""One batch while rules look at it: columns and masks that several rules need are made once."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.scored import ScoredFlows

Mask = NDArray[np.bool_]
Side = Literal["src", "dst"]

NS_PER_S = 1_000_000_000


class Condition(Protocol):
    """One thing that a rule asks of a flow. Equal conditions are equal and hash alike."""

    def mask(self, batch: "Batch") -> Mask:
        """Say which flows of a batch meet it, as bool[n]."""


class Batch:
    """A batch of scored flows with what was worked out about it so far."""

    def __init__(self, scored: ScoredFlows) -> None:
        """Wrap a batch; nothing is computed yet."""
        self.scored = scored
        self._columns: dict[str, NDArray[np.int64]] = {}
        self._masks: dict[Condition, tuple[Mask, bool]] = {}

    def meets(self, conditions: tuple[Condition, ...]) -> Mask | None:
        """Say which flows meet all of the conditions, as bool[n]; None when no flow does.

        The conditions are tried in order and the rest are left alone once no flow is left.
        """
        together: Mask | None = None
        for condition in conditions:
            found = self._masks.get(condition)
            if found is None:
                mask = condition.mask(self)
                found = self._masks[condition] = mask, bool(mask.any())
            mask, some = found
            if not some:
                return None
            together = mask if together is None else together & mask
        if together is None:
            return np.ones(len(self.scored), np.bool_)
        return together if together.any() else None

    def column(self, quantity: str) -> NDArray[np.int64]:
        """Return a quantity of every flow as int64[n].

        `age` is in whole seconds, first to last packet; `pkts_toserver`, `pkts_toclient` count
        packets and `bytes_toserver`, `bytes_toclient` layer-2 frame bytes, by direction.
        """
        known = self._columns.get(quantity)
        if known is None:
            known = self._columns[quantity] = self._compute(quantity)
        return known

    def _compute(self, quantity: str) -> NDArray[np.int64]:
        flows = self.scored.flows
        if quantity == "age":
            return np.asarray((flows["end_ns"] - flows["start_ns"]) // NS_PER_S, np.int64)
        what, _, towards = quantity.partition("_")
        direction = "fwd" if towards == "toserver" else "bwd"
        return flows[direction][what].astype(np.int64)
