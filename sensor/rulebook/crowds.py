"""When too many incidents of one rule begin at once to be told one by one.

Sources are easily forged: a flood from random addresses would be an incident, and an alert, for each of
its packets. So the incidents that begin are counted by destination and by rule, in windows of the rule's
length; above a number that a person would still read, what begins anew is one incident of the crowd.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sensor.rulebook.keys import moved, place_of

AT_DESTINATION: Final = 20
"""Incidents of one rule, and class where they are grouped by it, that begin with flows to one destination."""
BY_RULE: Final = 500
"""Incidents of one rule, wherever they lead: more within minutes is a storm, not a list."""


@dataclass(slots=True)
class _Tally:
    """How many began up to `until_ns`; `crowded` when too many did in the window before."""

    until_ns: int
    begun: int = 0
    crowded: bool = False


class Crowds:
    """Counts what begins, for at most `cap` destinations and rules; the one quiet for longest is forgotten first."""

    def __init__(self, cap: int) -> None:
        """Begin with none."""
        self._cap = cap
        self._tallies: OrderedDict[bytes, _Tally] = OrderedDict()

    def __len__(self) -> int:
        """Return how many destinations and rules are counted for."""
        return len(self._tallies)

    def joins(self, key: bytes, time_ns: int, window_ns: int, most: int) -> bool:
        """Count one that begins, and say whether it is one too many: it belongs to the crowd then.

        A crowd is one for the rest of its window. If as many came in one window as make a crowd, those
        of the next window, which begins with the first of them, are one from the start.
        """
        tally = self._tallies.get(key)
        if tally is None:
            if len(self._tallies) >= self._cap:
                self._tallies.popitem(last=False)
            tally = self._tallies[key] = _Tally(time_ns + window_ns)
        else:
            self._tallies.move_to_end(key)
            if time_ns > tally.until_ns:
                tally.crowded = tally.begun > most and time_ns <= tally.until_ns + window_ns
                tally.begun = 0
                tally.until_ns = time_ns + window_ns
        tally.begun += 1
        return tally.crowded or tally.begun > most

    def moved(self, places: Mapping[int, int]) -> "Crowds":
        """Return the same with rules at other places, without those that have none."""
        crowds = Crowds(self._cap)
        for key, tally in self._tallies.items():
            if place_of(key) in places:
                crowds._tallies[moved(key, places[place_of(key)])] = tally
        return crowds
