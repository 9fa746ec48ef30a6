"""The rulebook: which scored flow becomes which alert."""

from collections.abc import Mapping
from pathlib import Path

from sensor.rulebook.directory import Reading, read_directory
from sensor.rulebook.faults import Fault, RuleError
from sensor.rulebook.incidents import MAX_COUNTED, Incidents
from sensor.rulebook.keys import Keys
from sensor.rulebook.pairs import Pairs
from sensor.rulebook.plan import Matches, Plan
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import GROUPING
from sensor.rulebook.verdict import Verdict

MAX_INCIDENTS = 16_384
"""Each keeps a flow record and takes under two kilobytes, so this many are at most 32 MB."""

_NEVER = -(1 << 63)


class Rulebook:
    """Rules in force and the incidents that they have open.

    The verdicts on a sequence of flows do not depend on how it is cut into batches. Time is that of
    the packets: a flow counts when it ended.
    """

    def __init__(
        self, reading: Reading, *, max_incidents: int = MAX_INCIDENTS, max_counted: int = MAX_COUNTED
    ) -> None:
        """Put the rules of a folder in force; the faults of the reading are not looked at.

        At most `max_incidents` are kept, and of all of them together `max_counted` open flows.
        Raises ValueError when `max_incidents` is below 1.
        """
        self.rules: tuple[Rule, ...] = reading.rules
        self.warnings: tuple[Fault, ...] = reading.warnings
        self._plan = Plan(reading.rules, reading.limits)
        self._keys = Keys([rule.throttle or GROUPING for rule in self._plan.alerts])
        self._incidents = Incidents(max_incidents, self._plan.alerts, max_counted)
        self._clock_ns = _NEVER
        self._counts = dict.fromkeys(("matched", "alerted", "grouped", "suppressed", "passed", "updated"), 0)

    @classmethod
    def load(cls, directory: Path, variables: Mapping[str, str], *, max_incidents: int = MAX_INCIDENTS) -> "Rulebook":
        """Read a folder of rules; `variables` gives addresses and ports to `$NAMES`.

        Raises RuleError with every line of the folder that cannot be honoured, and why.
        """
        reading = read_directory(directory, variables)
        if reading.faults:
            raise RuleError(reading.faults)
        return cls(reading, max_incidents=max_incidents)

    @property
    def counters(self) -> dict[str, int]:
        """Return what happened so far.

        `matched` counts pairs of a flow and a rule that it meets, each of which is one of `alerted`,
        `grouped` (kept for a count, by a threshold or the grouping), `suppressed` and `passed`.
        A flow that is heard of again is matched and grouped again. `updated` counts updates, `crowded`
        flows that were counted with a crowd, `incidents` those kept now, `incidents_evicted` those that left
        early because there were too many, `flows_forgotten` open flows that would be counted once more.
        """
        incidents = self._incidents
        return {
            **self._counts,
            "crowded": incidents.crowded,
            "incidents": len(incidents),
            "incidents_evicted": incidents.evicted,
            "flows_forgotten": incidents.forgotten,
        }

    def judge(self, judged: ScoredFlows) -> list[Verdict]:
        """Return the alerts on a batch, in the order of its rows, and updates on earlier ones.

        Of the rules that one flow meets the one of highest priority comes first, then the lowest
        signature id. A flow that meets a pass rule has no alert. No flows give no verdicts.
        """
        if not len(judged):
            return []
        matches = self._plan.match(judged)
        pairs = Pairs.of(judged, matches, self._keys, self._clock_ns) if len(matches.rows) else None
        verdicts = [] if pairs is None else self._incidents.add(pairs)
        self._clock_ns = max(self._clock_ns, int(judged.flows["end_ns"].max()))
        verdicts += self._incidents.expire(self._clock_ns)
        self._count(matches, verdicts)
        return verdicts

    def tick(self, now_ns: int) -> list[Verdict]:
        """Let packet time pass without a flow, and return the updates that are due."""
        self._clock_ns = max(self._clock_ns, now_ns)
        updates = self._incidents.expire(self._clock_ns)
        self._counts["updated"] += len(updates)
        return updates

    def take_over(self, old: "Rulebook") -> list[Verdict]:
        """Go on with the open incidents of an old rulebook, which is not to be used any more.

        For a rulebook that was loaded to replace another and has judged nothing yet: incidents of rules
        that say the same in both stay open, so that a reload neither repeats nor loses an alert. Returned
        are the last words on the others. The counters go on.
        """
        there = {(rule.gid, rule.sid): place for place, rule in enumerate(self._plan.alerts)}
        places: dict[int, int] = {}
        for before, rule in enumerate(old._plan.alerts):
            place = there.get((rule.gid, rule.sid))
            if place is not None and rule.says_the_same(self._plan.alerts[place]):
                places[before] = place
        updates = self._incidents.take_over(old._incidents, places)
        self._clock_ns = old._clock_ns
        self._counts = old._counts
        self._counts["updated"] += len(updates)
        return updates

    def close(self) -> list[Verdict]:
        """End every incident and return the updates; the clock begins anew.

        To be called at the end, and between captures that have nothing to do with each other.
        """
        self._clock_ns = _NEVER
        updates = self._incidents.end_all()
        self._counts["updated"] += len(updates)
        return updates

    def _count(self, matches: Matches, verdicts: list[Verdict]) -> None:
        pairs = len(matches.rows)
        updates = sum(verdict.update for verdict in verdicts)
        alerts = len(verdicts) - updates
        self._counts["matched"] += pairs + matches.passed + matches.suppressed
        self._counts["passed"] += matches.passed
        self._counts["suppressed"] += matches.suppressed
        self._counts["alerted"] += alerts
        self._counts["grouped"] += pairs - alerts
        self._counts["updated"] += updates
