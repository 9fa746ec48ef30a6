"""One incident: a window of packet time, the flows counted in it, and what was told of them."""

from dataclasses import dataclass, field

import numpy as np

from sensor.flows import pick
from sensor.rulebook.batch import NS_PER_S
from sensor.rulebook.distinct import Distinct
from sensor.rulebook.rule import Rule
from sensor.rulebook.scored import ScoredFlows
from sensor.rulebook.throttle import GROUPING, Throttle
from sensor.rulebook.verdict import Crowd, Verdict

LATENESS_S = 600
"""How long after its window an incident waits for late flows: the longest usual idle timeout."""

LONGEST_S = 24 * 3600
"""How long later records of its flows may keep a window open: what goes on is told anew once a day."""

_RISE_PERMILLE = 50
"""A score that rose by so much since it was told is worth a word before the window ends."""


@dataclass(slots=True)
class Incident:
    """What is known of one window, which takes in what ended up to `until_ns`.

    `first_ns` and `last_ns` are when its flows ended, `begun_ns` is the clock when the first was counted.
    `close_ns` is the clock, not the time of a flow, at which the window is over, `look_ns` when the
    incident is looked at next, and `late` says that by then it only waits for late flows. `seen` counts
    flows, `told` what it was in the last verdict, 0 while there was none. `open_flows` counts those of
    its flows of which later records are expected. `flow` is the last record of the flow that was told
    last, `score_permille` and `class_name` are those of its highest score.
    """

    rule: Rule
    place: int
    key: bytes
    number: int
    first_ns: int
    begun_ns: int
    crowd: Crowd = ""
    last_ns: int = field(init=False)
    until_ns: int = field(init=False)
    close_ns: int = field(init=False)
    look_ns: int = field(init=False)
    late: bool = False
    seen: int = 0
    told: int = 0
    open_flows: int = 0
    flow: np.void | None = None
    flow_id: int = -1
    score_permille: int = 0
    class_name: str = ""
    sources: Distinct | None = None
    throttle: Throttle = field(init=False)
    _longest_ns: int = field(init=False)
    _told_last_ns: int = 0
    _told_bytes: int = 0
    _told_permille: int = 0

    def __post_init__(self) -> None:
        """Work out what the rule means for this window."""
        self.throttle = self.rule.throttle or GROUPING
        self.last_ns = self.first_ns
        self.until_ns = self.first_ns + self.window_ns
        self.close_ns = self.look_ns = self.begun_ns + self.window_ns
        self._longest_ns = self.first_ns + max(LONGEST_S * NS_PER_S, self.window_ns)
        if self.crowd or self.throttle.track in ("by_dst", "by_rule"):
            self.sources = Distinct()

    @property
    def window_ns(self) -> int:
        """Return how long the window is when nothing extends it."""
        return self.throttle.seconds * NS_PER_S

    @property
    def delay_ns(self) -> int:
        """Return how long after one look at the incident the next is due."""
        return LATENESS_S * NS_PER_S if self.late else self.window_ns

    @property
    def goes_on(self) -> bool:
        """Say whether later records moved the end of the window beyond what is being looked back on."""
        return self.close_ns > self.look_ns - (LATENESS_S * NS_PER_S if self.late else 0)

    def count(self, time_ns: int) -> bool:
        """Count a flow that ended within the window; say whether it becomes an alert."""
        if time_ns > self.last_ns:
            self.last_ns = time_ns
        elif time_ns < self.first_ns:
            self.first_ns = time_ns
        self.seen += 1
        return self.throttle.tells(self.seen)

    def takes(self, time_ns: int) -> bool:
        """Say whether a later record of one of its flows still belongs to the incident."""
        return time_ns <= self._longest_ns

    def extend(self, time_ns: int, clock_ns: int) -> None:
        """Take in a later record of a flow that was counted, and go on for a window's length.

        A rule that counts up to a number does so in a window that stays as it began: flows that go
        on for hours would gather hours of others to be counted with them.
        """
        self.last_ns = max(self.last_ns, time_ns)
        self.close_ns = max(self.close_ns, clock_ns + self.window_ns)
        if self.throttle.kind == "limit":
            self.until_ns = max(self.until_ns, min(time_ns + self.window_ns, self._longest_ns))

    def renew(self, judged: ScoredFlows, row: int) -> None:
        """Take the later record of the very flow that was told."""
        self.flow = pick(judged.flows, [row])[0]
        permille = int(judged.score_permille[row])
        if permille > self.score_permille:
            self.score_permille = permille
            self.class_name = judged.class_names[judged.class_index[row]]

    def tell(self, judged: ScoredFlows, row: int) -> Verdict:
        """Return the alert on one flow of a batch and remember it."""
        # A copy of its own: a view would keep the whole batch alive.
        self.flow = pick(judged.flows, [row])[0]
        self.flow_id = int(self.flow["flow_id"])
        self.score_permille = int(judged.score_permille[row])
        self.class_name = judged.class_names[judged.class_index[row]]
        return self._verdict(row, self.flow)

    def grown(self) -> list[Verdict]:
        """Return an update when flows joined since the last word, or the told one became another matter."""
        return self._update(self.seen > self.told or self._told_flow_grew())

    def doubled(self) -> list[Verdict]:
        """Return an update when there are twice the flows of the last word, or the told one became another matter."""
        return self._update(self.seen >= 2 * self.told or self._told_flow_grew())

    def last_word(self) -> list[Verdict]:
        """Return an update when there would be one before the end, or it all went on for a window's length more.

        What a flow that was told still brings until then, such as the end of a connection that was
        scored as it closed, is not worth a word of its own.
        """
        lasted = self.last_ns - self._told_last_ns >= self.window_ns
        return self._update(lasted or self.seen > self.told or self._told_flow_grew())

    def _told_flow_grew(self) -> bool:
        if self.flow is None:
            return False
        return (
            _bytes(self.flow) >= 2 * self._told_bytes or self.score_permille >= self._told_permille + _RISE_PERMILLE
        )

    def _update(self, due: bool) -> list[Verdict]:
        return [self._verdict(-1, self.flow)] if due and self.flow is not None else []

    def _verdict(self, row: int, flow: np.void) -> Verdict:
        """Return what to tell now; a row of -1 makes it an update."""
        self.told = self.seen
        self._told_last_ns = self.last_ns
        self._told_bytes = _bytes(flow)
        self._told_permille = self.score_permille
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
            crowd=self.crowd,
            sources=0 if self.sources is None else self.sources.estimate(),
        )


def _bytes(flow: np.void) -> int:
    return int(flow["fwd"]["bytes"]) + int(flow["bwd"]["bytes"])
