"""Windows of packet time: when they begin, end, and are told of again."""

from dataclasses import dataclass

import pytest

from sensor.rulebook import Rule, Throttle, Verdict
from sensor.rulebook.incidents import LATENESS_S, Incidents, Pairs
from tests.sensor.rulebook.table import SECOND_NS, F, scored

ROWS = scored([F(sport=row + 1, score=900 + row, name=("dos", "scan", "bot")[row % 3]) for row in range(9)])


def incidents_of(cap: int, *throttles: Throttle) -> Incidents:
    """Return incidents of one rule for each throttle; without any, of one source for ten seconds."""
    every = throttles or (Throttle("limit", "by_src", 1, 10),)
    return Incidents(cap, [Rule("alert", 1, (), "a.rules", 1, throttle=throttle) for throttle in every])


@dataclass(frozen=True)
class Seen:
    """One flow that ended at a second, `row` of `ROWS`; `place` is that of its rule."""

    key: str
    second: float
    row: int = 0
    place: int = 0


def judge(incidents: Incidents, *flows: Seen, clock: float | None = None, judged=ROWS) -> list[Verdict]:
    """Count flows; the clock is each flow's own time unless one is given."""
    times_ns = [round(one.second * SECOND_NS) for one in flows]
    clocks_ns = times_ns if clock is None else [round(clock * SECOND_NS)] * len(flows)
    rows, places = [one.row for one in flows], [one.place for one in flows]
    return incidents.add(Pairs(judged, rows, places, [(one.place, one.key) for one in flows], times_ns, clocks_ns))


def add(incidents: Incidents, *flows: Seen, clock: float | None = None) -> list[tuple[int, int, bool]]:
    return [(one.row, one.count, one.update) for one in judge(incidents, *flows, clock=clock)]


def test_a_window_is_anchored_at_its_first_flow_and_has_both_ends():
    incidents = incidents_of(9)
    assert add(incidents, Seen("a", 0, 1), Seen("a", 6), Seen("a", 10)) == [(1, 1, False)]
    assert add(incidents, Seen("a", 10.001, 2)) == [(-1, 3, True), (2, 1, False)]
    assert len(incidents) == 1


def test_an_update_is_about_the_flow_that_was_told_and_the_times_of_all():
    incidents = incidents_of(9)
    add(incidents, Seen("a", 5, 3), Seen("a", 9, 4), Seen("a", 2, 5))
    (update,) = incidents.end_all()
    assert (update.update, update.row, update.count) == (True, -1, 3)
    assert (update.first_ns, update.last_ns) == (2 * SECOND_NS, 9 * SECOND_NS)
    assert (update.flow["src_port"], update.score_permille, update.class_name) == (4, 903, "dos")
    assert update.rule.sid == 1


def test_what_was_told_in_full_is_not_told_again():
    incidents = incidents_of(9, Throttle("limit", "by_src", 1, 10), Throttle("both", "by_src", 3, 10))
    add(incidents, Seen("a", 0), Seen("b", 0, place=1), Seen("b", 1, place=1))
    assert incidents.end_all() == []
    assert len(incidents) == 0


def test_an_incident_waits_for_late_flows_and_then_speaks():
    incidents = incidents_of(9)
    add(incidents, Seen("a", 0), Seen("a", 1))
    over = 10 + LATENESS_S
    assert incidents.expire(over * SECOND_NS) == []
    assert add(incidents, Seen("a", 9), clock=over) == []
    assert [one.count for one in incidents.expire(over * SECOND_NS + 1)] == [3]
    assert incidents.expire(over * SECOND_NS + 2) == []


def test_late_flows_that_open_an_incident_find_each_other():
    # Nobody answered, so these flows leave the table long after they ended, one after the other.
    incidents = incidents_of(9)
    assert add(incidents, Seen("a", 0), clock=5000) == [(0, 1, False)]
    assert incidents.expire(5001 * SECOND_NS) == []
    assert add(incidents, Seen("a", 3), clock=5003) == []


def test_windows_of_several_lengths_end_in_the_order_of_their_time():
    incidents = incidents_of(9, *(Throttle("limit", "by_src", 1, seconds) for seconds in (50, 10, 60)))
    add(incidents, *(Seen("a", second, place=place) for place in range(3) for second in (0, place + 1)), clock=3)
    updates = incidents.expire((LATENESS_S + 55) * SECOND_NS)
    assert [one.last_ns // SECOND_NS for one in updates] == [2, 1]
    assert len(incidents) == 1
    assert len(incidents.end_all()) == 1


def test_at_the_cap_the_oldest_leaves_says_its_number_and_is_counted():
    incidents = incidents_of(2)
    add(incidents, Seen("a", 0), Seen("a", 1), Seen("b", 2))
    assert add(incidents, Seen("c", 3)) == [(-1, 2, True), (0, 1, False)]
    assert (len(incidents), incidents.evicted) == (2, 1)
    assert add(incidents, Seen("a", 4)) == [(0, 1, False)]
    assert (len(incidents), incidents.evicted) == (2, 2)


def test_a_rule_without_a_throttle_tells_one_in_five_minutes():
    incidents = Incidents(9, [Rule("alert", 1, (), "a.rules", 1)])
    assert add(incidents, Seen("a", 0), Seen("a", 300)) == [(0, 1, False)]
    assert add(incidents, Seen("a", 300.001)) == [(-1, 2, True), (0, 1, False)]


def test_time_passes_from_flow_to_flow():
    incidents = incidents_of(9)
    over = LATENESS_S + 11
    assert add(incidents, Seen("a", 0), Seen("a", 1), Seen("b", over), Seen("a", 2, 1)) == [
        (0, 1, False), (-1, 2, True), (0, 1, False), (1, 1, False),
    ]  # fmt: skip


def test_a_told_flow_is_a_copy_that_does_not_hold_its_batch():
    judged = scored([F(sport=7), F(sport=8)])
    (verdict,) = judge(incidents_of(1), Seen("a", 0, 1), judged=judged)
    judged.flows["src_port"] = 9
    assert verdict.flow["src_port"] == 8
    assert len(verdict.flow.tobytes()) == judged.flows.itemsize


def test_at_least_one_incident_is_kept():
    with pytest.raises(ValueError, match="not 0"):
        Incidents(0, [])
