"""One batch while rules look at it: columns and masks that several rules need are made once."""

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.scored import ScoredFlows

Mask = NDArray[np.bool_]
Side = Literal["src", "dst"]

NS_PER_S = 1_000_000_000


class Condition(Protocol):
    """One thing that a rule asks of a flow. Equal conditions are equal and hash alike."""

    def mask(self, batch: "Batch") -> Mask | None:
        """Say which flows of a batch meet it, as bool[n]; None says at once that none does."""


class Batch:
    """A batch of scored flows with what was worked out about it so far."""

    def __init__(self, scored: ScoredFlows, conditions: Sequence[Condition]) -> None:
        """Wrap a batch, and the conditions that rules name by their places; nothing is computed yet."""
        self.scored = scored
        self.any_above = bool(scored.above.any())
        self._conditions = conditions
        self._columns: dict[str, NDArray[np.int64]] = {}
        self._masks: dict[int, Mask | None] = {}

    def meets(self, places: Iterable[int]) -> Mask | None:
        """Say which flows meet all conditions at some places, as bool[n]; None when no flow does.

        The conditions are tried in order and the rest are left alone once no flow is left.
        """
        together: Mask | None = None
        for place in places:
            mask = self.mask_at(place)
            if mask is None:
                return None
            together = mask if together is None else together & mask
        if together is None:
            return np.ones(len(self.scored), np.bool_)
        return together if together.any() else None

    def mask_at(self, place: int) -> Mask | None:
        """Say which flows meet the condition at a place, as bool[n]; None when no flow does."""
        if place not in self._masks:
            mask = self._conditions[place].mask(self)
            self._masks[place] = mask if mask is not None and mask.any() else None
        return self._masks[place]

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
