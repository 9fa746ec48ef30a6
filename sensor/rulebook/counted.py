"""Which open flows incidents have counted, so that a later record of one is not one flow more."""

from collections import OrderedDict
from collections.abc import Mapping


class Counted:
    """Remembers flows of which more is to come, by rule and flow id; at most `cap`.

    The flow of which nothing was heard longest is forgotten first. What is remembered is the number
    of the incident that counted the flow.
    """

    def __init__(self, cap: int) -> None:
        """Begin with none."""
        self._cap = cap
        self._numbers: OrderedDict[tuple[int, int], int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many flows are remembered."""
        return len(self._numbers)

    def find(self, place: int, flow_id: int) -> int | None:
        """Return the incident of the rule at a place that counted a flow."""
        return self._numbers.get((place, flow_id))

    def remember(self, place: int, flow_id: int, number: int) -> int | None:
        """Note that an incident counted a flow; return the incident whose flow had to be forgotten for it."""
        self._numbers[place, flow_id] = number
        self._numbers.move_to_end((place, flow_id))
        return self._numbers.popitem(last=False)[1] if len(self._numbers) > self._cap else None

    def forget(self, place: int, flow_id: int) -> None:
        """Forget a flow that is over; it must be remembered."""
        del self._numbers[place, flow_id]

    def moved(self, places: Mapping[int, int]) -> "Counted":
        """Return the same with rules at other places, without those that have none."""
        moved = Counted(self._cap)
        for (place, flow_id), number in self._numbers.items():
            if place in places:
                moved._numbers[places[place], flow_id] = number
        return moved
