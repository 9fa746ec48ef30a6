"""A verdict says what an event needs."""

from tests.sensor.rulebook.table import F, book, rule, scored


def test_a_verdict_names_its_flow_and_its_rule(tmp_path):
    rules = book(tmp_path, rule("flowbits:isset,ml.scan; classtype:network-scan; target:src_ip;"))
    (verdict,) = rules.judge(scored([F(score=1), F(name="scan", score=977, sport=77, end=12.5)]))
    assert (verdict.row, verdict.count, verdict.update) == (1, 1, False)
    assert (verdict.score_permille, verdict.class_name, verdict.flow["src_port"]) == (977, "scan", 77)
    assert verdict.first_ns == verdict.last_ns == 12_500_000_000
    told = verdict.rule
    assert (told.sid, told.gid, told.rev, told.msg, told.severity) == (1000001, 1, 1, "one", 3)
    assert (told.category, told.target, told.classes) == ("Scan of hosts or ports", "src_ip", ("scan",))
