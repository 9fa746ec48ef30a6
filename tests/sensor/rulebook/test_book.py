"""The rulebook: who wins, how flows are grouped, and that the cut into batches changes nothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook import GROUPING, Rulebook, RuleError, read_directory
from sensor.rulebook.incidents import LATENESS_S
from tests.sensor.rulebook.table import CLASSES, NETS, SECOND_NS, F, book, rule, scored, told, write


def test_a_thousand_flows_of_a_scan_are_one_alert_that_later_says_how_many(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.scan;"))
    flows = [F(name="scan", dport=port, end=1000 + port / 100) for port in range(1, 1001)]
    assert told(rules.judge(scored(flows))) == [(0, 1000001, 1, False)]
    (update,) = rules.close()
    assert (update.update, update.count) == (True, 1000)
    assert (update.first_ns, update.last_ns) == (1000_010_000_000, 1010_000_000_000)
    assert rules.counters == {
        "matched": 1000, "alerted": 1, "grouped": 999, "suppressed": 0, "passed": 0, "updated": 1,
        "incidents": 0, "incidents_evicted": 0,
    }  # fmt: skip


def test_without_a_threshold_source_destination_and_class_make_an_incident(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.alert;"))
    flows = [F(), F(), F(src="198.51.100.2"), F(dst="10.0.0.2"), F(name="bot"), F(src="10.0.0.1", dst="198.51.100.1")]
    assert [row for row, *_ in told(rules.judge(scored(flows)))] == [0, 2, 3, 4, 5]
    later = [F(end=1000 + GROUPING.seconds), F(end=1000.1 + GROUPING.seconds)]
    assert told(rules.judge(scored(later))) == [(-1, 1000001, 3, True), (1, 1000001, 1, False)]


def test_addresses_that_end_in_zeros_are_not_mixed_up(tmp_path):
    rules = book(tmp_path, rule())
    flows = [F(src="10.0.0.0", dst="10.0.0.0"), F(src="a00::", dst="a00::"), F(src="10.0.0.0", dst="10.0.0.0")]
    assert [row for row, *_ in told(rules.judge(scored(flows)))] == [0, 1]


def test_pass_wins_whatever_its_priority(tmp_path):
    rules = book(
        tmp_path,
        rule("priority:1;", sid=1000001),
        rule("priority:255;", head="pass ip 10.0.0.5 any <> any any", sid=1000002),
    )
    flows = [F(src="10.0.0.5"), F(dst="10.0.0.5"), F(dst="10.0.0.6")]
    assert [row for row, *_ in told(rules.judge(scored(flows)))] == [2]
    assert rules.counters["passed"] == 2


def test_all_rules_that_match_alert_by_priority_and_then_by_sid(tmp_path):
    rules = book(
        tmp_path,
        rule("priority:3;", sid=1000001),
        rule("priority:1;", sid=1000003),
        rule("priority:1;", sid=1000002),
        rule("noalert;", sid=1000004),
    )
    assert [(row, sid) for row, sid, *_ in told(rules.judge(scored([F(), F(src="10.0.0.9")])))] == [
        (row, sid) for row in (0, 1) for sid in (1000002, 1000003, 1000001)
    ]


def test_a_tick_lets_time_pass_on_a_quiet_wire(tmp_path):
    rules = book(tmp_path, rule("threshold:type limit, track by_src, count 1, seconds 10;"))
    rules.judge(scored([F(end=1000), F(end=1001)]))
    over = (1001 + 10 + LATENESS_S) * SECOND_NS
    assert rules.tick(0) == rules.tick(over - SECOND_NS) == []
    assert told(rules.tick(over)) == [(-1, 1000001, 2, True)]
    assert rules.counters["updated"] == 1


def test_flows_that_match_nothing_let_time_pass_too(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.dos; threshold:type limit, track by_src, count 1, seconds 10;"))
    rules.judge(scored([F(end=1000), F(end=1001)]))
    assert told(rules.judge(scored([F(score=1, end=1001 + 11 + LATENESS_S)]))) == [(-1, 1000001, 2, True)]


def test_after_close_another_capture_may_be_of_another_year(tmp_path):
    rules = book(tmp_path, rule())
    assert len(rules.judge(scored([F(end=2000_000)]))) == 1
    assert rules.close() == []
    assert told(rules.judge(scored([F(end=1000), F(end=1001)]))) == [(0, 1000001, 1, False)]
    assert told(rules.close()) == [(-1, 1000001, 2, True)]
    assert rules.close() == []


def test_no_flows_are_no_verdicts(tmp_path):
    assert book(tmp_path, rule()).judge(scored([])) == []


def test_incidents_are_bounded_and_those_that_leave_are_counted(tmp_path):
    rules = book(tmp_path, rule("threshold:type limit, track by_src, count 1, seconds 60;"), cap=8)
    flows = [F(src=f"198.51.100.{i // 2}", end=1000 + i) for i in range(200)]
    verdicts = rules.judge(scored(flows))
    assert rules.counters["incidents"] == 8
    assert rules.counters["incidents_evicted"] == 92
    assert sum(one.update for one in verdicts) == 92
    assert sum(one.count for one in [*verdicts, *rules.close()] if one.update) == 200


def test_a_folder_with_a_fault_is_not_loaded(tmp_path):
    (tmp_path / "a.rules").write_text("alert\n")
    with pytest.raises(RuleError):
        Rulebook.load(tmp_path, NETS)


RULES = (
    rule("threshold:type limit, track by_src, count 2, seconds 60;", sid=1000001),
    rule("flowbits:isset,ml.dos; threshold:type threshold, track by_dst, count 3, seconds 300;", sid=1000002),
    rule("flowbits:isset,ml.alert; threshold:type both, track by_both, count 2, seconds 60;", sid=1000003),
    rule("flowint:ml_score,<,900; detection_filter:track by_rule, count 4, seconds 30;", sid=1000004),
    rule("flowbits:isset,ml.scan;", sid=1000005),
    rule(head="pass ip 10.0.0.3 any -> any any", sid=1000006),
)
LIMITS = "suppress gen_id 1, sig_id 1000001, track by_dst, ip 10.0.0.4\n"
host = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "2001:db8::1"])
flow = st.builds(
    F,
    src=host,
    dst=host,
    end=st.integers(1000, 5000).map(float),
    score=st.sampled_from([100, 950]),
    name=st.sampled_from(CLASSES[1:]),
)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("rules"), [*RULES], threshold=LIMITS)
    found = read_directory(folder, NETS)
    assert not found.faults
    return found


@settings(deadline=None, max_examples=60)
@given(flows=st.lists(flow, max_size=60), cuts=st.sets(st.integers(0, 60)), cap=st.integers(1, 12))
def test_the_cut_into_batches_changes_nothing(reading, flows, cuts, cap):

    def run(edges: list[int]):
        rules = Rulebook(reading, max_incidents=cap)
        found = []
        for start, stop in itertools.pairwise(edges):
            for one in rules.judge(scored(flows[start:stop])):
                row = one.row if one.update else one.row + start
                found.append((row, one.rule.sid, one.count, one.first_ns, one.last_ns, one.flow.tobytes()))
        ends = [(one.rule.sid, one.count, one.first_ns, one.last_ns) for one in rules.close()]
        return found, ends, rules.counters

    whole = run([0, len(flows)])
    assert run(sorted({0, len(flows), *(cut for cut in cuts if cut < len(flows))})) == whole
    assert run(list(range(len(flows) + 1))) == whole
    counters = whole[2]
    assert counters["matched"] == sum(counters[name] for name in ("alerted", "grouped", "suppressed", "passed"))


def test_a_large_batch_is_the_sum_of_its_parts(reading):
    dice = np.random.default_rng(7)
    flows = [
        F(
            src=f"10.0.{dice.integers(4)}.{dice.integers(9)}",
            dst=f"198.51.100.{dice.integers(9)}",
            end=1000 + i / 7 - float(dice.integers(90)),
            score=int(dice.choice([100, 950])),
            name=str(dice.choice(CLASSES[1:])),
        )
        for i in range(3000)
    ]

    def run(size: int):
        rules = Rulebook(reading)
        found = []
        for start in range(0, len(flows), size):
            found += [(sid, count, update) for _, sid, count, update in told(rules.judge(scored(flows[start:][:size])))]
        return found, [one.count for one in rules.close()], rules.counters

    assert run(3000) == run(1024) == run(17)
