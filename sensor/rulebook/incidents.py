"""Flows that belong together, in windows of packet time: a thousand flows of one scan are one alert.

The window of an incident begins with its first flow and takes in every flow that ends up to its
length later, and flows that come late: those leave the flow table only when their idle timeout is
over, which for a scan that nobody answers may be long after the window's end. So an incident is kept
for a while after its window, and then says how many flows it had.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from sensor.flows import pick
from sensor.rulebook.batch import NS_PER_S
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import GROUPING, Throttle
from sensor.rulebook.verdict import Verdict

LATENESS_S = 600
"""How long after its window an incident waits for late flows: the longest usual idle timeout."""

_FAR = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Pairs:
    """Flows that rules are about to tell of, in the order in which they are to be counted.

    Pair i is the flow at `rows[i]` of the batch and the rule at `places[i]` of the rules. It belongs to
    the incident `keys[i]`, which names the rule too. `times_ns[i]` is when the flow ended, `clocks_ns[i]`
    the latest time seen by then, which never falls from one pair to the next, in one batch or in two.
    """

    judged: ScoredFlows
    rows: Sequence[int]
    places: Sequence[int]
    keys: Sequence[Hashable]
    times_ns: Sequence[int]
    clocks_ns: Sequence[int]


@dataclass(slots=True)
class Incident:
    """What is known of one window, which takes in what ended up to `until_ns`.

    `told` is the count in the last verdict, 0 while there was none.
    """

    rule: Rule
    throttle: Throttle
    key: Hashable
    number: int
    until_ns: int
    deadline_ns: int
    first_ns: int
    last_ns: int
    seen: int = 0
    told: int = 0
    flow: np.void | None = None
    score_permille: int = 0
    class_name: str = ""

    def tell(self, judged: ScoredFlows, row: int) -> Verdict:
        """Return the alert on one flow of a batch and remember it."""
        self.told = self.seen
        # A copy of its own: a view would keep the whole batch alive.
        self.flow = pick(judged.flows, [row])[0]
        self.score_permille = int(judged.score_permille[row])
        self.class_name = judged.class_names[judged.class_index[row]]
        return self.verdict(row, self.flow)

    def verdict(self, row: int, flow: np.void) -> Verdict:
        """Return what to tell now; a row of -1 makes it an update."""
        return Verdict(
            row=row,
            rule=self.rule,
            count=self.seen,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            update=row < 0,
            flow=flow,
            score_permille=self.score_permille,
            class_name=self.class_name,
        )


class Incidents:
    """The incidents of some rules that are open, at most `cap`; the oldest leaves when there would be more."""

    def __init__(self, cap: int, rules: Sequence[Rule]) -> None:
        """Begin with none. Raises ValueError when the cap is below 1."""
        if cap < 1:
            raise ValueError(f"at least one incident must be kept, not {cap}")
        self._cap = cap
        self._rules = rules
        # In the order of their beginning; a plain dict is slow to find its first after many have left.
        self._open: OrderedDict[Hashable, Incident] = OrderedDict()
        # The same by length of window, where the order of their beginning is that of their deadlines too.
        self._waiting: dict[int, dict[int, Incident]] = {}
        # No incident is over before this time; it may be too early, never too late.
        self._soonest_ns = _FAR
        self._numbered = 0
        self.evicted = 0

    def __len__(self) -> int:
        """Return how many incidents are open."""
        return len(self._open)

    def add(self, pairs: Pairs) -> list[Verdict]:
        """Count flows, and return what is to be told of them and of the incidents that end meanwhile."""
        verdicts: list[Verdict] = []
        together = zip(pairs.keys, pairs.times_ns, pairs.clocks_ns, strict=True)
        for at, (key, time_ns, clock_ns) in enumerate(together):
            if clock_ns > self._soonest_ns:
                verdicts += self.expire(clock_ns)
            incident = self._open.get(key)
            if incident is None or time_ns > incident.until_ns:
                verdicts += self._make_room(incident)
                incident = self._begin(self._rules[pairs.places[at]], key, time_ns, clock_ns)
            elif time_ns > incident.last_ns:
                incident.last_ns = time_ns
            elif time_ns < incident.first_ns:
                incident.first_ns = time_ns
            incident.seen += 1
            if incident.throttle.tells(incident.seen):
                verdicts.append(incident.tell(pairs.judged, pairs.rows[at]))
        return verdicts

    def expire(self, clock_ns: int) -> list[Verdict]:
        """End the incidents whose time is over, and return the updates, oldest first."""
        if clock_ns <= self._soonest_ns:
            return []
        over: list[Incident] = []
        self._soonest_ns = _FAR
        for alike in self._waiting.values():
            for incident in alike.values():
                if incident.deadline_ns >= clock_ns:
                    self._soonest_ns = min(self._soonest_ns, incident.deadline_ns)
                    break
                over.append(incident)
        over.sort(key=lambda incident: (incident.deadline_ns, incident.number))
        return [verdict for incident in over for verdict in self._end(incident)]

    def end_all(self) -> list[Verdict]:
        """End every incident, and return the updates, oldest first."""
        return [verdict for incident in [*self._open.values()] for verdict in self._end(incident)]

    def _make_room(self, before: Incident | None) -> list[Verdict]:
        """End the incident that another is to follow, or the oldest when there are too many."""
        if before is not None:
            return self._end(before)
        if len(self._open) < self._cap:
            return []
        self.evicted += 1
        return self._end(next(iter(self._open.values())))

    def _begin(self, rule: Rule, key: Hashable, time_ns: int, clock_ns: int) -> Incident:
        throttle = rule.throttle or GROUPING
        window_ns = throttle.seconds * NS_PER_S
        self._numbered += 1
        incident = self._open[key] = Incident(
            rule=rule,
            throttle=throttle,
            key=key,
            number=self._numbered,
            until_ns=time_ns + window_ns,
            deadline_ns=clock_ns + window_ns + LATENESS_S * NS_PER_S,
            first_ns=time_ns,
            last_ns=time_ns,
        )
        self._waiting.setdefault(throttle.seconds, {})[incident.number] = incident
        self._soonest_ns = min(self._soonest_ns, incident.deadline_ns)
        return incident

    def _end(self, incident: Incident) -> list[Verdict]:
        """Forget an incident; return its update when it had flows that no verdict told of."""
        del self._open[incident.key]
        del self._waiting[incident.throttle.seconds][incident.number]
        if incident.flow is None or incident.seen == incident.told:
            return []
        return [incident.verdict(-1, incident.flow)]
