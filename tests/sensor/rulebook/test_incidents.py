"""Windows of packet time: when they begin, end, and are told of again."""

import pytest

from sensor.rulebook import Rule, Throttle
from sensor.rulebook.incidents import LATENESS_S, Incidents, Match
from tests.sensor.rulebook.table import SECOND_NS, F, scored

RULE = Rule("alert", 1000001, (), "a.rules", 1)
FLOWS = scored([F(sport=port) for port in range(1, 10)]).flows
ONE = Throttle("limit", "by_src", 1, 10)


def match(key: str, second: float, row: int = 0, throttle: Throttle = ONE) -> Match:
    return Match(RULE, throttle, key, row, round(second * SECOND_NS), 900 + row, f"class{row}")


def add(incidents: Incidents, *matches: Match, clock: float | None = None) -> list[tuple[int, int, bool]]:
    verdicts = []
    for one in matches:
        verdicts += incidents.add(one, FLOWS, one.time_ns if clock is None else round(clock * SECOND_NS))
    return [(one.row, one.count, one.update) for one in verdicts]


def test_a_window_is_anchored_at_its_first_flow_and_has_both_ends():
    incidents = Incidents(9)
    assert add(incidents, match("a", 0, 1), match("a", 6), match("a", 10)) == [(1, 1, False)]
    assert add(incidents, match("a", 10.001, 2)) == [(-1, 3, True), (2, 1, False)]
    assert len(incidents) == 1


def test_an_update_is_about_the_flow_that_was_told_and_the_times_of_all():
    incidents = Incidents(9)
    add(incidents, match("a", 5, 3), match("a", 9, 4), match("a", 2, 5))
    (update,) = incidents.end_all()
    assert (update.update, update.row, update.count) == (True, -1, 3)
    assert (update.first_ns, update.last_ns) == (2 * SECOND_NS, 9 * SECOND_NS)
    assert (update.flow["src_port"], update.score_permille, update.class_name) == (4, 903, "class3")
    assert update.rule is RULE


def test_what_was_told_in_full_is_not_told_again():
    incidents = Incidents(9)
    add(incidents, match("a", 0), match("b", 0, throttle=Throttle("both", "by_src", 3, 10)))
    add(incidents, match("b", 1, throttle=Throttle("both", "by_src", 3, 10)))
    assert incidents.end_all() == []
    assert len(incidents) == 0


def test_an_incident_waits_for_late_flows_and_then_speaks():
    incidents = Incidents(9)
    add(incidents, match("a", 0), match("a", 1))
    over = 10 + LATENESS_S
    assert incidents.expire(over * SECOND_NS) == []
    assert add(incidents, match("a", 9), clock=over) == []
    assert [one.count for one in incidents.expire(over * SECOND_NS + 1)] == [3]
    assert incidents.expire(over * SECOND_NS + 2) == []


def test_late_flows_that_open_an_incident_find_each_other():
    # Nobody answered, so these flows leave the table long after they ended, one after the other.
    incidents = Incidents(9)
    assert add(incidents, match("a", 0), clock=5000) == [(0, 1, False)]
    assert incidents.expire(5001 * SECOND_NS) == []
    assert add(incidents, match("a", 3), clock=5003) == []


def test_windows_of_several_lengths_end_in_the_order_of_their_time():
    incidents = Incidents(9)
    for key, seconds in (("long", 50), ("short", 10), ("longer", 60)):
        throttle = Throttle("limit", "by_src", 1, seconds)
        add(incidents, match(key, 0, throttle=throttle), match(key, 1, throttle=throttle))
    updates = incidents.expire((LATENESS_S + 55) * SECOND_NS)
    assert [one.last_ns - one.first_ns for one in updates] == [SECOND_NS] * 2
    assert len(incidents) == 1
    assert len(incidents.end_all()) == 1


def test_at_the_cap_the_oldest_leaves_says_its_number_and_is_counted():
    incidents = Incidents(2)
    add(incidents, match("a", 0), match("a", 1), match("b", 2))
    assert add(incidents, match("c", 3)) == [(-1, 2, True), (0, 1, False)]
    assert (len(incidents), incidents.evicted) == (2, 1)
    assert add(incidents, match("a", 4)) == [(0, 1, False)]
    assert (len(incidents), incidents.evicted) == (2, 2)


def test_a_told_flow_is_a_copy_that_does_not_hold_its_batch():
    table = scored([F(sport=7), F(sport=8)]).flows
    (verdict,) = Incidents(1).add(match("a", 0, 1), table, 0)
    table["src_port"] = 9
    assert verdict.flow["src_port"] == 8
    assert len(verdict.flow.tobytes()) == table.itemsize


def test_at_least_one_incident_is_kept():
    with pytest.raises(ValueError, match="not 0"):
        Incidents(0)
