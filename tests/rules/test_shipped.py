"""The rules that ship: they load without a word, keep what the field needs of them, and fire as they say."""

from dataclasses import replace
from pathlib import Path

import pytest
import suricataparser

from sensor.config import load
from sensor.rulebook import Rulebook, read_directory, rule_variables, sid_msg_map
from sensor.rulebook.advice import LOCAL_SIDS
from tests.sensor.rulebook.table import CLASSES, F, scored

VARIABLES = rule_variables(load(environ={}).config)
CATCH_ALL = 1000099


@pytest.fixture(scope="module")
def reading(repo: Path):
    return read_directory(repo / "rules", VARIABLES)


def test_they_load_without_a_fault_or_a_warning(reading):
    assert reading.faults == ()
    assert reading.warnings == ()
    assert len(reading.rules) >= 10


def test_each_has_what_readers_of_alerts_need(reading):
    for rule in reading.rules:
        assert rule.action == "alert"
        assert rule.sid in LOCAL_SIDS
        assert (rule.gid, rule.priority) == (1, 3), "stock consumers ban addresses at 1 and 2"
        assert rule.msg.startswith("NETTRUSION ")
        assert rule.category
        assert rule.target in ("src_ip", "dest_ip")
        assert rule.throttle is not None and rule.throttle.kind == "limit"
        assert rule.metadata["nettrusion_class"] == (rule.classes or ("other",))


def test_every_classtype_has_priority_3(repo):
    text = (repo / "rules" / "classification.config").read_text()
    entries = [line for line in text.splitlines() if line.startswith("config")]
    assert len(entries) > 20
    assert all(line.endswith(",3") for line in entries)


def test_suricataparser_reads_the_same(repo, reading):
    theirs = suricataparser.parse_file(repo / "rules" / "nettrusion.rules")
    enabled = {rule.sid: rule for rule in theirs if rule.enabled}
    assert {rule.sid: (rule.msg, rule.rev, rule.classtype) for rule in reading.rules} == {
        sid: (rule.msg, rule.rev, rule.classtype) for sid, rule in enabled.items()
    }


def test_the_sid_map_is_that_of_the_rules(repo, reading):
    # `nettrusion rules map rules > rules/sid-msg.map` writes it again.
    assert (repo / "rules" / "sid-msg.map").read_text() == sid_msg_map(reading.rules)


def test_a_flow_above_the_threshold_has_exactly_one_alert(repo, reading):
    named = [name for rule in reading.rules for name in rule.classes]
    assert len(named) == len(set(named)) == len(reading.rules) - 1
    for rule in reading.rules:
        for name in rule.classes or ("never_heard_of",):
            batch = scored([F(name=CLASSES[1]), F(name=CLASSES[1], score=1)])
            known = tuple(name if one == CLASSES[1] else f"x_{one}" for one in CLASSES)
            verdicts = Rulebook(reading).judge(
                type(batch)(**{key: getattr(batch, key) for key in batch.__slots__} | {"class_names": known})
            )
            assert [(one.row, one.rule.sid) for one in verdicts] == [(0, rule.sid)]
            assert rule.classes or rule.sid == CATCH_ALL


def test_a_scan_a_flood_and_a_crowd_are_one_alert_each(repo):
    rules = Rulebook.load(repo / "rules", VARIABLES)
    scan = [F(src="10.0.0.66", dst=f"10.0.{i}.1", name="scan", end=1000 + i / 9) for i in range(250)]
    flood = [F(sport=1024 + i, name="dos", end=1000 + i / 9) for i in range(250)]
    assert [one.rule.classes for one in rules.judge(scored([*scan, *flood]))] == [("scan",), ("dos",)]
    assert sorted(one.count for one in rules.close()) == [250, 250]


@pytest.mark.parametrize(
    ("name", "alerts"),
    [("dos", 1), ("ddos", 1), ("scan", 21), ("slowdos", 21), ("anomaly", 21), ("never_heard_of", 21)],
)
def test_a_flood_of_forged_sources_is_a_few_alerts(reading, name, alerts):
    flows = [F(src=f"198.{18 + i // 250}.{i % 250}.7", end=1000 + i / 100) for i in range(1000)]
    batch = replace(scored(flows), class_names=("benign", name, "x", "y"))
    rules = Rulebook(reading)
    told = rules.judge(batch)
    assert len(told) == alerts
    (update,) = rules.close()
    assert update.count == 1001 - alerts
    assert abs(update.sources - update.count) < 50


def test_a_storm_that_goes_everywhere_is_bounded(reading):
    ends = [(i // 250, i % 250, 1000 + i / 100) for i in range(3000)]
    flows = [F(f"198.{net}.{host}.7", f"10.{net}.{host}.1", end=end) for net, host, end in ends]
    told = Rulebook(reading).judge(replace(scored(flows), class_names=("benign", "scan", "x", "y")))
    assert len(told) == 501


def test_the_examples_in_comments_can_be_switched_on(repo, tmp_path):
    for path in (repo / "rules").glob("*.*"):
        text = path.read_text()
        for keyword in ("threshold gen_id", "suppress gen_id"):
            text = text.replace(f"\n#{keyword}", f"\n{keyword}")
        for start in ("alert tcp", "pass ip"):
            text = text.replace(f"\n#   {start}", f"\n{start}")
        (tmp_path / path.name).write_text(text)
    reading = read_directory(tmp_path, VARIABLES)
    assert reading.faults == ()
    assert reading.disabled == 0
    assert {"alert", "pass"} == {rule.action for rule in reading.rules}
