"""Windows of packet time: when they begin, end, and are told of again."""

import hashlib
from dataclasses import dataclass, replace

import pytest

from sensor.rulebook import Rule, Throttle, Verdict
from sensor.rulebook.crowds import AT_DESTINATION, BY_RULE
from sensor.rulebook.incident import LATENESS_S, LONGEST_S
from sensor.rulebook.incidents import Incidents
from sensor.rulebook.pairs import Pairs
from tests.sensor.rulebook.table import SECOND_NS, F, scored

ROWS = scored([F(sport=row + 1, score=900 + row, name=("dos", "scan", "bot")[row % 3]) for row in range(9)])


def incidents_of(cap: int, *throttles: Throttle) -> Incidents:
    """Return incidents of one rule for each throttle; without any, of one source for ten seconds."""
    every = throttles or (Throttle("limit", "by_src", 1, 10),)
    return Incidents(cap, [Rule("alert", 1, (), "a.rules", 1, throttle=throttle) for throttle in every])


@dataclass(frozen=True)
class Seen:
    """One flow that ended at a second, `row` of `ROWS`; `place` is that of its rule, `to` its destination.

    `flow` is its id; it was heard of before with `again`, and will be with `more`.
    """

    key: str
    second: float
    row: int = 0
    place: int = 0
    to: str = "x"
    flow: int = 0
    again: bool = False
    more: bool = False


def judge(incidents: Incidents, *flows: Seen, clock: float | None = None, judged=ROWS) -> list[Verdict]:
    """Count flows; the clock is each flow's own time unless one is given."""
    times_ns = [round(one.second * SECOND_NS) for one in flows]
    table = judged.flows.copy()
    table["flow_id"][[one.row for one in flows]] = [one.flow for one in flows]
    begins = [one.place.to_bytes(8, "little") for one in flows]
    return incidents.add(
        Pairs(
            replace(judged, flows=table),
            rows=[one.row for one in flows],
            places=[one.place for one in flows],
            keys=[begin + f"an incident's {one.key}".encode() for begin, one in zip(begins, flows, strict=True)],
            crowds=[begin + bytes(8) + one.to.encode() for begin, one in zip(begins, flows, strict=True)],
            times_ns=times_ns,
            clocks_ns=times_ns if clock is None else [round(clock * SECOND_NS)] * len(flows),
            flow_ids=[one.flow for one in flows],
            again=[one.again for one in flows],
            more=[one.more for one in flows],
            sources=[int.from_bytes(hashlib.blake2b(one.key.encode(), digest_size=2).digest()) >> 6 for one in flows],
        )
    )


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


def test_an_incident_speaks_when_its_window_is_over_and_again_of_what_came_late():
    incidents = incidents_of(9)
    add(incidents, Seen("a", 0), Seen("a", 1))
    assert incidents.expire(10 * SECOND_NS) == []
    assert add(incidents, Seen("a", 9), clock=10) == []
    assert [one.count for one in incidents.expire(10 * SECOND_NS + 1)] == [3]
    over = 10 + LATENESS_S
    assert incidents.expire(over * SECOND_NS) == []
    assert add(incidents, Seen("a", 8), clock=over) == []
    assert [one.count for one in incidents.expire(over * SECOND_NS + 1)] == [4]
    assert (len(incidents), incidents.expire(over * SECOND_NS + 2)) == (0, [])


def test_what_did_not_grow_after_its_window_has_no_last_word():
    incidents = incidents_of(9)
    add(incidents, Seen("a", 0), Seen("a", 1), Seen("b", 0))
    assert [one.count for one in incidents.expire(11 * SECOND_NS)] == [2]
    assert incidents.expire((12 + LATENESS_S) * SECOND_NS) == []
    assert len(incidents) == 0


def test_late_flows_that_open_an_incident_find_each_other():
    # Nobody answered, so these flows leave the table long after they ended, one after the other.
    incidents = incidents_of(9)
    assert add(incidents, Seen("a", 0), clock=5000) == [(0, 1, False)]
    assert incidents.expire(5001 * SECOND_NS) == []
    assert add(incidents, Seen("a", 3), clock=5003) == []


def test_windows_of_several_lengths_end_in_the_order_of_their_time():
    incidents = incidents_of(9, *(Throttle("limit", "by_src", 1, seconds) for seconds in (50, 10, 60)))
    add(incidents, *(Seen("a", second, place=place) for place in range(3) for second in (0, place + 1)), clock=3)
    updates = incidents.expire(55 * SECOND_NS)
    assert [one.last_ns // SECOND_NS for one in updates] == [2, 1]
    assert incidents.expire((LATENESS_S + 55) * SECOND_NS)[0].last_ns == 3 * SECOND_NS
    assert len(incidents) == 1
    assert incidents.end_all() == []


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


def test_an_hour_of_one_flow_is_one_alert_and_its_last_word():
    incidents = incidents_of(9, Throttle("limit", "by_src", 1, 300))
    told = add(incidents, Seen("a", 0, more=True, flow=7))
    for second in range(120, 3600, 120):
        told += add(incidents, Seen("a", second, 1, flow=7, again=True, more=True), Seen("a", second, flow=second))
    told += add(incidents, Seen("a", 3600, 2, flow=7, again=True))
    assert [(row, count) for row, count, update in told if not update] == [(0, 1)]
    # Told again when twice as many as before had come, no oftener than once a window.
    assert [count for _, count, update in told if update] == [3, 6, 13, 26]
    assert [one.count for one in incidents.expire(4201 * SECOND_NS)] == [30]
    assert (incidents.expire(9000 * SECOND_NS), len(incidents)) == ([], 0)


def test_a_later_record_belongs_to_the_incident_that_counted_its_flow():
    incidents = incidents_of(9)
    add(incidents, *(Seen("a", flow - 1, flow, flow=flow, more=True) for flow in (1, 2, 3)))
    add(incidents, *(Seen("a", 3 + flow, 3 + flow, flow=flow, again=True) for flow in (1, 2, 3)))
    (update,) = incidents.end_all()
    assert (update.count, update.last_ns) == (3, 6 * SECOND_NS)
    assert update.flow["src_port"] == 5, "as in the last record of the flow that was told"
    assert (update.score_permille, update.class_name) == (904, "scan")


def test_a_flow_first_met_by_a_later_record_is_counted_then():
    incidents = incidents_of(9)
    assert add(incidents, Seen("a", 0, flow=1, again=True, more=True)) == [(0, 1, False)]
    assert add(incidents, Seen("a", 9, flow=1, again=True, more=True)) == []
    assert add(incidents, Seen("a", 18, flow=1, again=True)) == []
    assert add(incidents, Seen("a", 27)) == [], "the window went on with its flow"
    assert add(incidents, Seen("a", 29, 1)) == [(-1, 2, True), (1, 1, False)]


def test_counting_rules_count_flows_and_in_a_window_that_stays():
    incidents = incidents_of(9, Throttle("both", "by_src", 3, 10))
    assert add(incidents, Seen("a", 0, flow=1, more=True), Seen("a", 1, flow=2, more=True)) == []
    records = [Seen("a", second, flow=1, again=True, more=True) for second in range(2, 14)]
    assert add(incidents, *records) == []
    assert add(incidents, Seen("a", 14, 4, flow=3)) == [], "the third flow, but not within ten seconds"
    assert add(incidents, Seen("a", 15, flow=1, again=True), Seen("a", 16, flow=2, again=True)) == []
    assert add(incidents, Seen("a", 17), Seen("a", 18, 5)) == [(5, 3, False)]


def test_what_goes_on_for_days_is_told_anew_once_a_day():
    incidents = incidents_of(9, Throttle("limit", "by_src", 1, 300))
    told = add(incidents, Seen("a", 0, flow=1, more=True))
    for second in range(120, 3 * LONGEST_S, 120):
        told += add(incidents, Seen("a", second, flow=1, again=True, more=True))
    assert [update for *_, update in told].count(False) == 3


def test_a_flow_that_became_another_matter_is_told_while_it_goes_on():
    small, larger = scored([F(bytes=(90, 10), score=900)]), scored([F(bytes=(150, 50), score=900)])
    higher = scored([F(bytes=(1, 1), score=950)])
    incidents = incidents_of(9)
    judge(incidents, Seen("a", 0, flow=1, more=True), judged=small)
    for second, record, words in ((9, small, 0), (18, larger, 1), (27, larger, 0), (36, higher, 1)):
        judge(incidents, Seen("a", second, flow=1, again=True, more=True), judged=record)
        assert len(incidents.expire((second + 5) * SECOND_NS)) == words, second


def test_remembered_flows_are_bounded_and_those_forgotten_are_counted():
    incidents = Incidents(9, [Rule("alert", 1, (), "a.rules", 1)], max_counted=2)
    add(incidents, *(Seen("a", second, flow=second, more=True) for second in (1, 2, 3)))
    assert incidents.forgotten == 1
    add(incidents, *(Seen("a", 4, flow=flow, again=True) for flow in (3, 2, 1)))
    assert [one.count for one in incidents.end_all()] == [4], "the first was counted twice"


def test_a_followed_incident_is_kept_for_its_open_flows_alone():
    incidents = incidents_of(9, Throttle("threshold", "by_src", 1, 10))
    add(incidents, Seen("a", 0, flow=1, more=True), Seen("b", 0, flow=2))
    add(incidents, Seen("a", 11, flow=3), Seen("b", 11, flow=4))
    assert len(incidents) == 3
    assert add(incidents, Seen("a", 12, flow=1, again=True)) == []
    assert [(one.count, one.last_ns // SECOND_NS) for one in incidents.end_all()] == [(1, 12)]


def test_the_time_of_a_followed_incident_is_not_that_of_its_follower():
    incidents = incidents_of(9, Throttle("threshold", "by_src", 1, 10))
    add(incidents, Seen("a", 0, flow=1, more=True), Seen("a", 11, flow=2))
    assert incidents.expire((LATENESS_S + 15) * SECOND_NS) == []
    assert len(incidents) == 1
    assert add(incidents, Seen("a", 20), clock=LATENESS_S + 16) == [(0, 2, False)]


def test_a_flow_that_another_incident_counts_anew_keeps_the_former_no_longer():
    incidents = incidents_of(9)
    add(incidents, Seen("a", 0, flow=1, more=True), clock=0)
    add(incidents, Seen("b", LONGEST_S + 1, flow=1, again=True, more=True), clock=0)
    add(incidents, Seen("a", LONGEST_S + 2, flow=2), clock=0)
    assert len(incidents) == 2


def test_after_the_end_no_crowd_is_left():
    incidents = incidents_of(999)
    add(incidents, *(Seen(f"s{i}", 1) for i in range(100)))
    incidents.end_all()
    assert [one.crowd for one in judge(incidents, Seen("s", 2))] == [""]


def test_too_many_sources_of_one_destination_are_one_incident():
    incidents = incidents_of(999)
    told = judge(incidents, *(Seen(f"s{i}", i / 100, to="x") for i in range(500)), Seen("t", 6, to="y"))
    assert len(told) == AT_DESTINATION + 2
    assert [one.crowd for one in told] == [*[""] * AT_DESTINATION, "by_dst", ""]
    (update,) = incidents.expire(11 * SECOND_NS)
    assert (update.count, update.crowd) == (500 - AT_DESTINATION, "by_dst")
    assert abs(update.sources - update.count) < 30
    assert incidents.crowded == 500 - AT_DESTINATION


def test_a_crowd_that_goes_on_is_one_from_the_start_of_the_next_window():
    incidents = incidents_of(999)
    told = judge(incidents, *(Seen(f"s{i}", i / 10, to="x") for i in range(1000)))
    alerts = [one.crowd for one in told if not one.update]
    assert alerts.count("") == AT_DESTINATION
    assert 9 <= alerts.count("by_dst") <= 11
    quiet = judge(incidents, Seen("later", 200, to="x"))
    assert [one.crowd for one in quiet if not one.update] == [""]


def test_what_has_an_incident_of_its_own_stays_in_it():
    incidents = incidents_of(999)
    add(incidents, Seen("own", 0), *(Seen(f"s{i}", 1) for i in range(100)))
    assert add(incidents, Seen("own", 2)) == []
    assert [one.count for one in incidents.end_all()] == [2, 101 - AT_DESTINATION]


def test_a_storm_over_all_destinations_is_one_incident_of_the_rule():
    incidents = incidents_of(9999)
    told = judge(incidents, *(Seen(f"s{i}", i / 1000, to=f"d{i}") for i in range(5000)))
    assert [one.crowd for one in told] == [*[""] * BY_RULE, "by_rule"]


def test_a_rule_that_counts_before_it_speaks_has_no_crowds():
    incidents = incidents_of(9999, Throttle("both", "by_src", 2, 10), Throttle("limit", "by_rule", 1, 10))
    assert add(incidents, *(Seen(f"s{i}", i / 1000) for i in range(1000))) == []
    assert add(incidents, *(Seen("all", 1, place=1) for i in range(1000))) == [(0, 1, False)]
    assert incidents.crowded == 0


def seconds_of(one: Verdict) -> int:
    assert one.rule.throttle is not None
    return one.rule.throttle.seconds


def test_incidents_go_over_to_rules_that_moved():
    old = incidents_of(9, *(Throttle("limit", "by_src", 1, seconds) for seconds in (10, 20, 30)))
    told = judge(old, *(Seen("a", 1, place=place, flow=1, more=True) for place in range(3)))
    add(old, Seen("a", 2), Seen("a", 3, place=1))
    fresh = incidents_of(9, *(Throttle("limit", "by_src", 1, seconds) for seconds in (30, 10)))
    assert [(seconds_of(one), one.count) for one in fresh.take_over(old, {0: 1, 2: 0})] == [(20, 2)]
    assert add(fresh, Seen("a", 4, place=0), Seen("a", 4, place=1, flow=1, again=True)) == []
    ends = fresh.end_all()
    assert [(seconds_of(one), one.count) for one in ends] == [(10, 2), (30, 2)]
    assert not {id(one.rule) for one in ends} & {id(one.rule) for one in told}, "as the rules are that are in force"


def test_crowds_go_over_and_the_cap_is_the_new_one():
    old = incidents_of(99)
    add(old, *(Seen(f"s{i}", 1) for i in range(50)))
    fresh = incidents_of(5)
    assert [one.count for one in fresh.take_over(old, {0: 0})] == []
    assert len(fresh) == 5
    assert add(fresh, Seen("new", 2)) == []


def test_a_told_flow_is_a_copy_that_does_not_hold_its_batch():
    judged = scored([F(sport=7), F(sport=8)])
    (verdict,) = judge(incidents_of(1), Seen("a", 0, 1), judged=judged)
    judged.flows["src_port"] = 9
    assert verdict.flow["src_port"] == 8
    assert len(verdict.flow.tobytes()) == judged.flows.itemsize


def test_at_least_one_incident_is_kept():
    with pytest.raises(ValueError, match="not 0"):
        Incidents(0, [])
