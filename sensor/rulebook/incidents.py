"""Flows that belong together, in windows of packet time: a thousand flows of one scan are one alert.

The window of an incident begins with its first flow and takes in every flow that ends up to its
length later, and flows that come late: those leave the flow table only when their idle timeout is
over, which for a scan that nobody answers may be long after the window's end. So an incident is kept
for a while after its window, and then says how many flows it had.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from sensor.flows import pick
from sensor.rulebook.batch import NS_PER_S
from sensor.rulebook.rule import Rule
from sensor.rulebook.throttle import Throttle
from sensor.rulebook.verdict import Verdict

LATENESS_S = 600
"""How long after its window an incident waits for late flows: the longest usual idle timeout."""

_FAR = (1 << 63) - 1


@dataclass(slots=True)
class Match:
    """One flow that a rule is about to tell of; `time_ns` is when the flow ended."""

    rule: Rule
    throttle: Throttle
    key: Hashable
    row: int
    time_ns: int
    score_permille: int
    class_name: str


@dataclass(slots=True)
class Incident:
    """What is known of one window: `told` is the count in the last verdict, 0 while there was none."""

    rule: Rule
    key: Hashable
    number: int
    window_ns: int
    begin_ns: int
    deadline_ns: int
    first_ns: int
    last_ns: int
    seen: int = 0
    told: int = 0
    flow: np.void | None = None
    score_permille: int = 0
    class_name: str = ""

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
    """The incidents that are open, at most `cap`; the oldest leaves when there would be more."""

    def __init__(self, cap: int) -> None:
        """Begin with none. Raises ValueError when the cap is below 1."""
        if cap < 1:
            raise ValueError(f"at least one incident must be kept, not {cap}")
        self._cap = cap
        # By length of window, in the order of their beginning, which is that of their deadlines too.
        self._open: dict[int, dict[Hashable, Incident]] = {}
        # No incident is over before this time; it may be too early, never too late.
        self._soonest_ns = _FAR
        self._live = 0
        self._numbered = 0
        self.evicted = 0

    def __len__(self) -> int:
        """Return how many incidents are open."""
        return self._live

    def add(self, match: Match, flows: np.ndarray, clock_ns: int) -> list[Verdict]:
        """Count one flow, and return what is to be told of it and of what it brings to an end.

        `flows` is the batch, FLOW_DTYPE[n], of which the told row is copied. `clock_ns` is the latest
        time seen so far; it never falls from one call to the next.
        """
        verdicts: list[Verdict] = []
        window_ns = match.throttle.seconds * NS_PER_S
        key = (match.rule.gid, match.rule.sid, match.key)
        alike = self._open.setdefault(window_ns, {})
        incident = alike.get(key)
        if incident is not None and match.time_ns > incident.begin_ns + window_ns:
            verdicts += self._end(incident)
            incident = None
        if incident is None:
            if self._live >= self._cap:
                self.evicted += 1
                verdicts += self._end(self._oldest())
            incident = self._begin(match, key, window_ns, clock_ns)
        incident.seen += 1
        if match.time_ns > incident.last_ns:
            incident.last_ns = match.time_ns
        elif match.time_ns < incident.first_ns:
            incident.first_ns = match.time_ns
        if match.throttle.tells(incident.seen):
            incident.told = incident.seen
            # A copy of its own: a view would keep the whole batch alive.
            incident.flow = pick(flows, [match.row])[0]
            incident.score_permille, incident.class_name = match.score_permille, match.class_name
            verdicts.append(incident.verdict(match.row, incident.flow))
        return verdicts

    def expire(self, clock_ns: int) -> list[Verdict]:
        """End the incidents whose time is over, and return the updates, oldest first."""
        if clock_ns <= self._soonest_ns:
            return []
        over: list[Incident] = []
        self._soonest_ns = _FAR
        for alike in self._open.values():
            for incident in alike.values():
                if incident.deadline_ns >= clock_ns:
                    self._soonest_ns = min(self._soonest_ns, incident.deadline_ns)
                    break
                over.append(incident)
        over.sort(key=lambda incident: (incident.deadline_ns, incident.number))
        return [verdict for incident in over for verdict in self._end(incident)]

    def end_all(self) -> list[Verdict]:
        """End every incident, and return the updates, oldest first."""
        over = [incident for alike in self._open.values() for incident in alike.values()]
        over.sort(key=lambda incident: incident.number)
        return [verdict for incident in over for verdict in self._end(incident)]

    def _begin(self, match: Match, key: Hashable, window_ns: int, clock_ns: int) -> Incident:
        self._numbered += 1
        self._live += 1
        deadline_ns = clock_ns + window_ns + LATENESS_S * NS_PER_S
        self._soonest_ns = min(self._soonest_ns, deadline_ns)
        incident = self._open[window_ns][key] = Incident(
            rule=match.rule,
            key=key,
            number=self._numbered,
            window_ns=window_ns,
            begin_ns=match.time_ns,
            deadline_ns=deadline_ns,
            first_ns=match.time_ns,
            last_ns=match.time_ns,
        )
        return incident

    def _oldest(self) -> Incident:
        firsts = (next(iter(alike.values())) for alike in self._open.values() if alike)
        return min(firsts, key=lambda incident: incident.number)

    def _end(self, incident: Incident) -> list[Verdict]:
        """Forget an incident; return its update when it had flows that no verdict told of."""
        del self._open[incident.window_ns][incident.key]
        self._live -= 1
        if incident.flow is None or incident.seen == incident.told:
            return []
        return [incident.verdict(-1, incident.flow)]
