"""The rulebook: who wins, how flows are grouped, and that the cut into batches changes nothing."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.flows import Reason
from sensor.rulebook import GROUPING, Rulebook, RuleError, read_directory
from sensor.rulebook.incident import LATENESS_S
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
        "crowded": 0, "incidents": 0, "incidents_evicted": 0, "flows_forgotten": 0,
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
    over = 1011 * SECOND_NS
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
    flows = [F(src=f"198.51.100.{i // 2}", dst=f"10.0.{i // 2}.1", end=1000 + i / 9) for i in range(200)]
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
    id=st.integers(1, 8),
    part=st.integers(0, 2),
    reason=st.sampled_from([Reason.FIN, Reason.ACTIVE, Reason.SNAPSHOT]),
    bytes=st.sampled_from([(1, 1), (900, 900)]),
)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp("rules"), [*RULES], threshold=LIMITS)
    found = read_directory(folder, NETS)
    assert not found.faults
    return found


@settings(deadline=None, max_examples=60)
@given(
    flows=st.lists(flow, max_size=60),
    cuts=st.sets(st.integers(0, 60)),
    cap=st.integers(1, 12),
    counted=st.integers(1, 12),
)
def test_the_cut_into_batches_changes_nothing(reading, flows, cuts, cap, counted):

    def run(edges: list[int]):
        rules = Rulebook(reading, max_incidents=cap, max_counted=counted)
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
            dst=f"198.51.100.{dice.integers(2)}",
            end=1000 + i / 7 - float(dice.integers(90)),
            score=int(dice.choice([100, 950])),
            name=str(dice.choice(CLASSES[1:])),
            id=int(dice.integers(2000)),
            part=int(dice.integers(3)),
            reason=Reason(int(dice.choice([Reason.FIN, Reason.ACTIVE, Reason.SNAPSHOT]))),
        )
        for i in range(3000)
    ]

    def run(size: int):
        rules = Rulebook(reading)
        found = []
        for start in range(0, len(flows), size):
            found += [(sid, count, update) for _, sid, count, update in told(rules.judge(scored(flows[start:][:size])))]
        return found, [one.count for one in rules.close()], rules.counters

    whole = run(3000)
    assert whole == run(1024) == run(17)
    assert whole[2]["crowded"] > 100
    assert any(update for *_, update in whole[0])


def test_a_slow_attack_of_an_hour_is_one_alert_and_updates(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.dos; threshold:type limit, track by_both, count 1, seconds 300;"))
    found = []
    for second in range(0, 3600, 120):
        again = [F(id=one, end=1000 + second, part=second // 120, reason=Reason.ACTIVE) for one in range(50)]
        found += rules.judge(scored([*again, F(id=1000 + second, end=1001 + second)]))
    found += [*rules.tick(10_000 * SECOND_NS), *rules.close()]
    assert [one.count for one in found if not one.update] == [1]
    assert [one.count for one in found if one.update] == [53, 80]
    assert rules.counters["matched"] == 30 * 51


def test_a_snapshot_is_told_and_an_end_that_is_another_matter_is_the_last_word(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.dos;"))
    (alert,) = rules.judge(scored([F(id=1, end=1000, pkts=(20, 0), reason=Reason.SNAPSHOT)]))
    assert (alert.flow["reason"], alert.update) == (Reason.SNAPSHOT, False)
    assert rules.judge(scored([F(id=1, end=1009, pkts=(90, 0), bytes=(9000, 0), part=1)])) == []
    (update,) = rules.close()
    assert (update.count, update.flow["fwd"]["pkts"], update.flow["reason"]) == (1, 90, Reason.FIN)


def test_a_snapshot_is_told_and_an_end_like_it_is_not(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.dos;"))
    assert len(rules.judge(scored([F(id=1, end=1000, reason=Reason.SNAPSHOT), F(id=1, end=1001, part=1)]))) == 1
    assert rules.close() == []


def test_a_reload_neither_repeats_nor_loses_an_alert(tmp_path):
    def loaded(name, *rules):
        (tmp_path / name).mkdir()
        return book(tmp_path / name, *rules)

    kept, changed = rule("flowbits:isset,ml.dos;", sid=1000002), rule("flowbits:isset,ml.scan;", sid=1000003)
    old = loaded("old", kept, changed)
    flows = [F(), F(end=1001), F(name="scan"), F(name="scan", end=1001), F(id=7, src="10.1.1.1", reason=Reason.ACTIVE)]
    assert len(old.judge(scored(flows))) == 3
    first = rule("flowbits:isset,ml.dos; flow.age:>9;", sid=1000001)
    fresh = loaded("new", first, kept, changed.replace("rev:1", "rev:2"))
    assert told(fresh.take_over(old)) == [(-1, 1000003, 2, True)]
    assert fresh.counters["matched"] == 5
    more = [F(end=1002), F(id=7, src="10.1.1.1", part=1), F(name="scan", end=1002)]
    assert told(fresh.judge(scored(more))) == [(2, 1000003, 1, False)]
    assert fresh.counters["updated"] == 1
    assert sorted(told(fresh.tick(1400 * SECOND_NS))) == [(-1, 1000002, 3, True)]


def test_after_a_reload_late_flows_have_as_long_as_before(tmp_path):
    (tmp_path / "again").mkdir()
    loud = rule("flowbits:isset,ml.dos;")
    old, fresh = book(tmp_path, loud), book(tmp_path / "again", loud)
    old.judge(scored([F(end=5000, score=1)]))
    assert fresh.take_over(old) == []
    fresh.judge(scored([F(src="10.0.0.9", end=1000), F(src="10.0.0.9", end=1001)]))
    assert fresh.tick(5001 * SECOND_NS) == []
    assert told(fresh.tick(5301 * SECOND_NS)) == [(-1, 1000001, 2, True)]


def test_a_reload_may_bring_a_model_with_other_classes(tmp_path):
    (tmp_path / "again").mkdir()
    every = rule("flowbits:isset,ml.alert;")
    old, fresh = book(tmp_path, every), book(tmp_path / "again", every)
    old.judge(scored([F(name="bot")]))
    assert fresh.take_over(old) == []
    batch = scored([F(name="scan"), F(name="dos", end=1001)])
    swapped = replace(batch, class_names=("benign", "scan", "bot", "dos"))
    assert [(one.row, one.class_name) for one in fresh.judge(swapped)] == [(1, "scan")]
