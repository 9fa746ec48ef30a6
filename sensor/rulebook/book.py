"""The rulebook: which scored flow becomes which alert."""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.batch import Batch, Mask
from sensor.rulebook.directory import Reading, read_directory
from sensor.rulebook.faults import Fault, RuleError
from sensor.rulebook.incidents import Incidents, Match
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.thresholdfile import Suppression
from sensor.rulebook.throttle import Throttle
from sensor.rulebook.verdict import Verdict

GROUPING = Throttle("limit", "incident", 1, 300)
"""For rules without a threshold: one alert in five minutes for a source, a destination and a class."""
MAX_INCIDENTS = 16_384
"""Each keeps a flow record of about a kilobyte, so this many are 16 MB."""

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
        self._alerts = [rule for rule in reading.rules if rule.action == "alert" and not rule.noalert]
        self._passes = [rule for rule in reading.rules if rule.action == "pass"]
        self._suppressions = [reading.limits.suppressions_of(rule) for rule in self._alerts]
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
        ends_ns = judged.flows["end_ns"]
        latest_ns = max(self._clock_ns, int(ends_ns.max()))
        hits = self._hits(Batch(judged))
        verdicts: list[Verdict] = []
        if hits:
            clocks_ns = np.maximum(np.maximum.accumulate(ends_ns), self._clock_ns)
            for match in self._matches(judged, hits):
                clock_ns = int(clocks_ns[match.row])
                verdicts += self._updates(self._incidents.expire(clock_ns))
                told = self._incidents.add(match, judged.flows, clock_ns)
                alerts = sum(not verdict.update for verdict in told)
                self._counts["alerted"] += alerts
                self._counts["grouped"] += 1 - alerts
                self._updates(told)
                verdicts += told
        self._clock_ns = latest_ns
        return verdicts + self._updates(self._incidents.expire(latest_ns))

    def tick(self, now_ns: int) -> list[Verdict]:
        """Let packet time pass without a flow, and return the updates that are due."""
        self._clock_ns = max(self._clock_ns, now_ns)
        return self._updates(self._incidents.expire(self._clock_ns))

    def close(self) -> list[Verdict]:
        """End every incident and return the updates; the clock begins anew.

        To be called at the end, and between captures that have nothing to do with each other.
        """
        self._clock_ns = _NEVER
        return self._updates(self._incidents.end_all())

    def _updates(self, verdicts: list[Verdict]) -> list[Verdict]:
        self._counts["updated"] += sum(verdict.update for verdict in verdicts)
        return verdicts

    def _hits(self, batch: Batch) -> list[tuple[int, NDArray[np.intp]]]:
        """Return (place of the rule, rows) for the rules that have something to tell."""
        found: list[tuple[int, NDArray[np.intp]]] = []
        for place, rule in enumerate(self._alerts):
            mask = batch.meets(rule.conditions)
            if mask is not None:
                found.append((place, np.flatnonzero(mask)))
        if not found:
            return found
        self._counts["matched"] += sum(len(rows) for _, rows in found)
        passed = self._passed(batch)
        hits = []
        for place, rows in found:
            left = rows if passed is None else rows[~passed[rows]]
            self._counts["passed"] += len(rows) - len(left)
            kept = left[~_suppressed(self._suppressions[place], batch, left)] if len(left) else left
            self._counts["suppressed"] += len(left) - len(kept)
            if len(kept):
                hits.append((place, kept))
        return hits

    def _passed(self, batch: Batch) -> Mask | None:
        together: Mask | None = None
        for rule in self._passes:
            mask = batch.meets(rule.conditions)
            if mask is not None:
                together = mask if together is None else together | mask
        return together

    def _matches(self, judged: ScoredFlows, hits: list[tuple[int, NDArray[np.intp]]]) -> Iterator[Match]:
        """Yield the flows to tell of, by row and then by the order of the rules."""
        places = np.concatenate([np.full(len(rows), place) for place, rows in hits])
        rows = np.concatenate([rows for _, rows in hits])
        order = np.lexsort((places, rows))
        rows = rows[order]
        flows = judged.flows
        versions = flows["ip_version"][rows].tolist()
        # Bytes of one length: zeros at the end are dropped, which is why the version is in the key.
        sources = np.ascontiguousarray(flows["src"][rows]).view("S16")[:, 0].tolist()
        targets = np.ascontiguousarray(flows["dst"][rows]).view("S16")[:, 0].tolist()
        times = flows["end_ns"][rows].tolist()
        scores = judged.score_permille[rows].tolist()
        classes = judged.class_index[rows].tolist()
        for i, place in enumerate(places[order].tolist()):
            rule = self._alerts[place]
            throttle = rule.throttle or GROUPING
            ends = versions[i], sources[i], targets[i]
            yield Match(
                rule=rule,
                throttle=throttle,
                key=_key(throttle, ends, classes[i]),
                row=int(rows[i]),
                time_ns=times[i],
                score_permille=scores[i],
                class_name=judged.class_names[classes[i]],
            )


def _key(throttle: Throttle, ends: tuple[int, bytes, bytes], class_index: int) -> Hashable:
    """Return what the flows of one window of a rule have in common."""
    version, source, target = ends
    if throttle.track == "by_src":
        return version, source
    if throttle.track == "by_dst":
        return version, target
    if throttle.track == "by_both":
        return version, min(source, target), max(source, target)
    if throttle.track == "by_rule":
        return None
    return version, source, target, class_index


def _suppressed(suppressions: tuple[Suppression, ...], batch: Batch, rows: NDArray[np.intp]) -> Mask:
    """Say which of some rows are suppressed, as bool[len(rows)]."""
    flows = batch.scored.flows
    away = np.zeros(len(rows), np.bool_)
    for one in suppressions:
        if one.addresses is None:
            return ~np.zeros(len(rows), np.bool_)
        version = flows["ip_version"][rows]
        if one.track != "by_dst":
            away |= one.addresses.mask(version, flows["src"][rows])
        if one.track != "by_src":
            away |= one.addresses.mask(version, flows["dst"][rows])
    return away
