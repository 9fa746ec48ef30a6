"""Flows that belong together, in windows of packet time: a thousand flows of one scan are one alert.

The window of an incident begins with its first flow and takes in every flow that ends up to its
length later. Two things come after a window's end. Flows that come late: those leave the flow table only
when their idle timeout is over, which for a scan that nobody answers may be long after. And later records
of flows that go on: an incident that has counted a flow takes in all that is heard of it, and its window
goes on with it. So an incident is kept for a while after its window.

It is told again when its window is over and it grew; while it goes on, at most once a window's length and
only of what is much more than was told; and when nothing more can come, if it grew or lasted since.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from sensor.rulebook.batch import NS_PER_S
from sensor.rulebook.counted import Counted
from sensor.rulebook.crowds import AT_DESTINATION, BY_RULE, Crowds
from sensor.rulebook.incident import Incident
from sensor.rulebook.keys import moved, rule_key
from sensor.rulebook.pairs import Pairs
from sensor.rulebook.rule import Rule
from sensor.rulebook.throttle import GROUPING, Throttle
from sensor.rulebook.verdict import Crowd, Verdict

MAX_COUNTED = 65_536
"""How many open flows are remembered as counted, all incidents together: about 14 MB."""

_FAR = (1 << 63) - 1
_ALONE: Crowd = ""


class Incidents:
    """The incidents of some rules that are kept, at most `cap`; the oldest leaves when there would be more."""

    def __init__(self, cap: int, rules: Sequence[Rule], max_counted: int = MAX_COUNTED) -> None:
        """Begin with none. Raises ValueError when the cap is below 1."""
        if cap < 1:
            raise ValueError(f"at least one incident must be kept, not {cap}")
        self._cap = cap
        self._rules = rules
        self._windows = [_crowd_windows(rule.throttle or GROUPING) for rule in rules]
        # All that are kept, by number: in the order of their beginning.
        self._kept: OrderedDict[int, Incident] = OrderedDict()
        # Those that take in flows of their key; one that was followed is only kept for the flows it counted.
        self._open: dict[bytes, Incident] = {}
        # By how long after one look the next is due, where the order of filing is that of their time too.
        self._waiting: dict[int, OrderedDict[int, Incident]] = {}
        # No look is due before this time; it may be too early, never too late.
        self._soonest_ns = _FAR
        self._numbered = 0
        self._counted = Counted(max_counted)
        self._crowds = Crowds(cap)
        self.evicted = 0
        self.forgotten = 0
        self.crowded = 0

    def __len__(self) -> int:
        """Return how many incidents are kept."""
        return len(self._kept)

    def add(self, pairs: Pairs) -> list[Verdict]:
        """Count flows, and return what is to be told of them and of earlier incidents meanwhile."""
        verdicts: list[Verdict] = []
        for at, (key, time_ns, clock_ns) in enumerate(zip(pairs.keys, pairs.times_ns, pairs.clocks_ns, strict=True)):
            if clock_ns > self._soonest_ns:
                verdicts += self.expire(clock_ns)
            if pairs.again[at] and self._joined(pairs, at):
                continue
            incident = self._open.get(key)
            if incident is None or time_ns > incident.until_ns:
                incident, ended = self._home(pairs, at)
                verdicts += ended
            if incident.sources is not None:
                incident.sources.add(pairs.sources[at])
            if incident.count(time_ns):
                verdicts.append(incident.tell(pairs.judged, pairs.rows[at]))
            if pairs.more[at]:
                self._remember(incident, pairs.flow_ids[at])
        return verdicts

    def expire(self, clock_ns: int) -> list[Verdict]:
        """Look at the incidents whose time has come, and return the updates in the order of that time."""
        verdicts: list[Verdict] = []
        while self._soonest_ns < clock_ns:
            fronts = [next(iter(alike.values())) for alike in self._waiting.values() if alike]
            if not fronts:
                self._soonest_ns = _FAR
                break
            first = min(fronts, key=lambda incident: (incident.look_ns, incident.number))
            self._soonest_ns = first.look_ns
            if first.look_ns < clock_ns:
                verdicts += self._look(first)
        return verdicts

    def end_all(self) -> list[Verdict]:
        """End every incident, and return the last words, oldest first; nothing is remembered."""
        verdicts = [verdict for incident in [*self._kept.values()] for verdict in self._end(incident)]
        self._counted = self._counted.moved({})
        self._crowds = Crowds(self._cap)
        return verdicts

    def take_over(self, old: "Incidents", places: Mapping[int, int]) -> list[Verdict]:
        """Go on with the incidents of others, which are not to be used any more.

        `places` says where the rules that both have stand here, by their places there. Incidents of other
        rules end, and so do the oldest above the cap; returned are their last words.
        """
        verdicts: list[Verdict] = []
        for incident in [*old._kept.values()]:
            if incident.place not in places:
                verdicts += old._end(incident)
        while len(old._kept) > self._cap:
            verdicts += old._end(next(iter(old._kept.values())))
        self._kept, self._waiting = old._kept, old._waiting
        for incident in self._kept.values():
            incident.place = places[incident.place]
            incident.rule = self._rules[incident.place]
        keyed = ((key, incident) for key, incident in old._open.items())
        self._open = {moved(key, incident.place): incident for key, incident in keyed}
        for key, incident in self._open.items():
            incident.key = key
        self._soonest_ns, self._numbered = old._soonest_ns, old._numbered
        self._counted = old._counted.moved(places)
        self._crowds = old._crowds.moved(places)
        self.evicted, self.forgotten, self.crowded = old.evicted, old.forgotten, old.crowded
        return verdicts

    def _joined(self, pairs: Pairs, at: int) -> bool:
        """Take a later record into the incident that counted its flow; False when none did that is kept."""
        place, flow_id = pairs.places[at], pairs.flow_ids[at]
        number = self._counted.find(place, flow_id)
        incident = None if number is None else self._kept.get(number)
        if number is None or incident is None or not incident.takes(pairs.times_ns[at]):
            return False
        incident.extend(pairs.times_ns[at], pairs.clocks_ns[at])
        if flow_id == incident.flow_id:
            incident.renew(pairs.judged, pairs.rows[at])
        if pairs.more[at]:
            self._counted.remember(place, flow_id, number)
        else:
            self._counted.forget(place, flow_id)
            incident.open_flows -= 1
        return True

    def _remember(self, incident: Incident, flow_id: int) -> None:
        before = self._counted.find(incident.place, flow_id)
        former = None if before is None else self._kept.get(before)
        if former is not None:
            former.open_flows -= 1
        incident.open_flows += 1
        forgotten = self._counted.remember(incident.place, flow_id, incident.number)
        loser = None if forgotten is None else self._kept.get(forgotten)
        if loser is not None:
            loser.open_flows -= 1
            self.forgotten += 1

    def _home(self, pairs: Pairs, at: int) -> tuple[Incident, list[Verdict]]:
        """Return the incident of a flow whose own is not open, a new one or a crowd's, and what is told of others."""
        key, time_ns, crowd = pairs.keys[at], pairs.times_ns[at], _ALONE
        for wider, window_ns, most in self._windows[pairs.places[at]]:
            wider_key = pairs.crowds[at] if wider == "by_dst" else rule_key(pairs.crowds[at])
            if not self._crowds.joins(wider_key, time_ns, window_ns, most):
                continue
            key, crowd = wider_key, wider
            incident = self._open.get(key)
            if incident is not None and time_ns <= incident.until_ns:
                self.crowded += 1
                return incident, []
        self.crowded += crowd != _ALONE
        verdicts = self._make_room(self._open.get(key))
        return self._begin(pairs, at, key, crowd), verdicts

    def _make_room(self, before: Incident | None) -> list[Verdict]:
        """End the incident that another is to follow, or the oldest when there are too many."""
        if before is not None and not before.open_flows:
            return self._end(before)
        if len(self._kept) < self._cap:
            return []
        self.evicted += 1
        return self._end(next(iter(self._kept.values())))

    def _begin(self, pairs: Pairs, at: int, key: bytes, crowd: Crowd) -> Incident:
        place, time_ns, clock_ns = pairs.places[at], pairs.times_ns[at], pairs.clocks_ns[at]
        self._numbered += 1
        incident = Incident(self._rules[place], place, key, self._numbered, time_ns, clock_ns, crowd)
        self._kept[incident.number] = self._open[key] = incident
        self._file(incident)
        return incident

    def _file(self, incident: Incident) -> None:
        self._waiting.setdefault(incident.delay_ns, OrderedDict())[incident.number] = incident
        self._soonest_ns = min(self._soonest_ns, incident.look_ns)

    def _look(self, incident: Incident) -> list[Verdict]:
        """Say what is due of an incident, and end it when nothing more can come."""
        del self._waiting[incident.delay_ns][incident.number]
        if incident.goes_on:
            verdicts = incident.doubled()
        elif incident.late:
            return self._forget(incident)
        else:
            verdicts = incident.grown()
            incident.late = True
        incident.look_ns += incident.delay_ns
        self._file(incident)
        return verdicts

    def _end(self, incident: Incident) -> list[Verdict]:
        """End an incident before its time; return its last word."""
        del self._waiting[incident.delay_ns][incident.number]
        return self._forget(incident)

    def _forget(self, incident: Incident) -> list[Verdict]:
        del self._kept[incident.number]
        if self._open.get(incident.key) is incident:
            del self._open[incident.key]
        return incident.last_word()


def _crowd_windows(throttle: Throttle) -> tuple[tuple[Crowd, int, int], ...]:
    """Return what crowds of a rule may be grouped by: how, the window in ns, and above how many incidents.

    Only alerts that a limit leaves are too many one by one; the other kinds count before they speak, and
    a crowd would reach the number that was meant for one source.
    """
    window_ns = throttle.seconds * NS_PER_S
    by_dst: tuple[Crowd, int, int] = ("by_dst", window_ns, AT_DESTINATION)
    by_rule: tuple[Crowd, int, int] = ("by_rule", window_ns, BY_RULE)
    if throttle.kind != "limit" or throttle.track == "by_rule":
        return ()
    return (by_rule,) if throttle.track == "by_dst" else (by_dst, by_rule)
