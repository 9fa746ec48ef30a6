"""One incident: what it counts, how long it lasts, and when there is something to say."""

import pytest

from sensor.rulebook import Rule, Throttle
from sensor.rulebook.incident import LATENESS_S, LONGEST_S, Incident
from sensor.rulebook.throttle import Kind, Track
from tests.sensor.rulebook.table import SECOND_NS, F, scored

S = SECOND_NS


def incident(kind: Kind = "limit", track: Track = "by_src", seconds: int = 10, crowd="") -> Incident:
    rule = Rule("alert", 1, (), "a.rules", 1, throttle=Throttle(kind, track, 1, seconds))
    return Incident(rule, 0, b"", 1, first_ns=100 * S, begun_ns=200 * S, crowd=crowd)


def test_its_window_is_that_of_its_flows_and_its_looks_go_by_the_clock():
    one = incident()
    assert (one.until_ns, one.close_ns, one.look_ns) == (110 * S, 210 * S, 210 * S)
    assert one.delay_ns == 10 * S
    one.late = True
    assert one.delay_ns == LATENESS_S * S


@pytest.mark.parametrize(("kind", "until"), [("limit", 130), ("both", 110), ("threshold", 110)])
def test_a_later_record_moves_the_end(kind, until):
    one = incident(kind)
    one.extend(120 * S, 220 * S)
    assert (one.until_ns, one.close_ns, one.last_ns) == (until * S, 230 * S, 120 * S)
    assert one.goes_on
    one.extend(101 * S, 221 * S)
    assert (one.until_ns, one.last_ns) == (until * S, 120 * S)


def test_a_day_is_the_longest_unless_the_rule_says_longer():
    for seconds, longest in ((10, LONGEST_S), (2 * LONGEST_S, 2 * LONGEST_S)):
        one = incident(seconds=seconds)
        last = (100 + longest) * S
        assert (one.takes(last), one.takes(last + 1)) == (True, False)
        one.extend(last, last)
        assert one.until_ns == last


def test_what_goes_on_late_is_what_was_heard_of_within_the_wait():
    one = incident()
    one.late = True
    one.look_ns += LATENESS_S * S
    assert not one.goes_on
    one.extend(111 * S, 211 * S)
    assert one.goes_on


def test_words_are_due_when_something_came_and_only_of_what_was_told():
    one = incident()
    assert one.count(100 * S)
    assert (one.grown(), one.doubled(), one.last_word()) == ([], [], []), "nothing was told yet"
    one.tell(scored([F(bytes=(60, 40))]), 0)
    assert (one.grown(), one.doubled(), one.last_word()) == ([], [], [])
    one.extend(109 * S, 209 * S)
    assert (one.grown(), one.doubled(), one.last_word()) == ([], [], []), "the tail of what was told"
    one.extend(110 * S, 210 * S)
    assert (one.grown(), one.doubled()) == ([], [])
    assert [word.count for word in one.last_word()] == [1], "it went on for a window's length"
    assert one.last_word() == []
    one.count(102 * S)
    one.count(103 * S)
    assert [word.count for word in one.doubled()] == [3]
    one.count(104 * S)
    assert one.doubled() == []
    assert [word.count for word in one.grown()] == [4]


def test_the_told_flow_is_renewed_with_its_highest_score():
    one = incident()
    one.count(100 * S)
    one.tell(scored([F(id=7, score=930, name="scan")]), 0)
    one.renew(scored([F(id=7, score=990, name="dos")]), 0)
    one.renew(scored([F(id=7, score=920, name="bot", bytes=(400, 400))]), 0)
    (word,) = one.grown()
    assert (word.score_permille, word.class_name, int(word.flow["fwd"]["bytes"])) == (990, "dos", 400)


def test_sources_are_counted_where_there_may_be_several():
    assert incident(track="by_src").sources is incident(track="by_both").sources is None
    for one in (incident(track="by_dst"), incident(track="by_rule"), incident(crowd="by_dst")):
        assert one.sources is not None
