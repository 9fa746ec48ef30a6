"""The rulebook: which scored flow becomes which alert."""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import numpy as np

from sensor.rulebook.directory import Reading, read_directory
from sensor.rulebook.faults import Fault, RuleError
from sensor.rulebook.incidents import Incidents, Match
from sensor.rulebook.plan import Matches, Plan
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import Throttle
from sensor.rulebook.verdict import Verdict

GROUPING = Throttle("limit", "incident", 1, 300)
"""For rules without a threshold: one alert in five minutes for a source, a destination and a class."""
MAX_INCIDENTS = 16_384
"""Each keeps a flow record of under a kilobyte, so this many are at most 16 MB."""

_NEVER = -(1 << 63)


class Rulebook:
    """Rules in force and the incidents that they have open.

    The verdicts on a sequence of flows do not depend on how it is cut into batches. Time is that of
    the packets: a flow counts when it ended.
    """

    def __init__(self, reading: Reading, *, max_incidents: int = MAX_INCIDENTS) -> None:
        """Put the rules of a folder in force; the faults of the reading are not looked at.

        Raises ValueError when `max_incidents` is below 1.
        """
        self.rules: tuple[Rule, ...] = reading.rules
        self.warnings: tuple[Fault, ...] = reading.warnings
        self._plan = Plan(reading.rules, reading.limits)
        self._incidents = Incidents(max_incidents)
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
        `updated` counts updates, `incidents` those open now, `incidents_evicted` those that left early
        because there were too many.
        """
        return {
            **self._counts,
            "incidents": len(self._incidents),
            "incidents_evicted": self._incidents.evicted,
        }

    def judge(self, judged: ScoredFlows) -> list[Verdict]:
        """Return the alerts on a batch, in the order of its rows, and updates on earlier ones.

        Of the rules that one flow meets the one of highest priority comes first, then the lowest
        signature id. A flow that meets a pass rule has no alert. No flows give no verdicts.
        """
        if not len(judged):
            return []
        verdicts: list[Verdict] = []
        ends_ns = judged.flows["end_ns"]
        matches = self._plan.match(judged)
        if len(matches.rows):
            clocks_ns = np.maximum(np.maximum.accumulate(ends_ns), self._clock_ns)[matches.rows].tolist()
            for clock_ns, match in zip(clocks_ns, self._each(judged, matches), strict=True):
                verdicts += self._incidents.expire(clock_ns)
                verdicts += self._incidents.add(match, judged.flows, clock_ns)
        self._clock_ns = max(self._clock_ns, int(ends_ns.max()))
        verdicts += self._incidents.expire(self._clock_ns)
        self._count(matches, verdicts)
        return verdicts

    def tick(self, now_ns: int) -> list[Verdict]:
        """Let packet time pass without a flow, and return the updates that are due."""
        self._clock_ns = max(self._clock_ns, now_ns)
        updates = self._incidents.expire(self._clock_ns)
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

    def _each(self, judged: ScoredFlows, matches: Matches) -> Iterator[Match]:
        """Yield the pairs of a flow and a rule with what their incident needs to know."""
        rows = matches.rows
        flows = judged.flows
        # Bytes of one length: zeros at the end are dropped, which is why the version is in the key.
        columns = zip(
            flows["ip_version"][rows].tolist(),
            np.ascontiguousarray(flows["src"][rows]).view("S16")[:, 0].tolist(),
            np.ascontiguousarray(flows["dst"][rows]).view("S16")[:, 0].tolist(),
            judged.class_index[rows].tolist(),
            flows["end_ns"][rows].tolist(),
            judged.score_permille[rows].tolist(),
            rows.tolist(),
            matches.places.tolist(),
            strict=True,
        )
        for version, source, target, class_index, time_ns, score, row, place in columns:
            rule = self._plan.alerts[place]
            throttle = rule.throttle or GROUPING
            key = _key(throttle, version, (source, target), class_index)
            yield Match(rule, throttle, key, row, time_ns, score, judged.class_names[class_index])


def _key(throttle: Throttle, version: int, ends: tuple[bytes, bytes], class_index: int) -> Hashable:
    """Return what the flows of one window of a rule have in common."""
    if throttle.track == "by_src":
        return version, ends[0]
    if throttle.track == "by_dst":
        return version, ends[1]
    if throttle.track == "by_both":
        return version, min(ends), max(ends)
    if throttle.track == "by_rule":
        return None
    return version, *ends, class_index
