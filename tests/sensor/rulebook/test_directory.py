"""A folder of rules as a whole: order, every fault with its place, and suricataparser on the same text."""

import pytest
import suricataparser
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.rulebook import Rulebook, RuleError, read_directory
from sensor.rulebook.conditions import AddressIn, FlowBits
from sensor.rulebook.directory import read_rule
from sensor.rulebook.tables import Tables
from tests.sensor.rulebook.table import NETS, rule, write


def test_rules_of_all_files_come_by_priority_then_sid(tmp_path):
    write(tmp_path, [rule("priority:2;", sid=1000009), rule("classtype:network-scan;", sid=1000002)])
    (tmp_path / "b.rules").write_text(rule("priority:1;", sid=1000010) + "\n" + rule(sid=1000001) + "\n")
    (tmp_path / "c.txt").write_text("no rule\n")
    reading = read_directory(tmp_path, NETS)
    assert [one.sid for one in reading.rules] == [1000010, 1000009, 1000001, 1000002]
    assert [one.priority for one in reading.rules] == [1, 2, 3, 3]
    assert reading.rules[3].category == "Scan of hosts or ports"
    assert (reading.files, reading.faults) == (2, ())


def test_all_faults_of_a_folder_are_told_together(tmp_path):
    write(
        tmp_path,
        [
            "# fine",
            rule(),
            "drop ip any any -> any any (sid:2;)",
            rule('content:"x"; priority:0;'),
            "",
            "alert \\",
            "x",
        ],
        classification="config classification: a\n",
        threshold="rate_filter x\n",
    )
    (tmp_path / "b.rules").write_text(f"\n{rule()}\nreject ip any nine -> any any (rev:1;)\n")
    with pytest.raises(RuleError) as error:
        Rulebook.load(tmp_path, NETS)
    a, b, where = tmp_path / "a.rules", tmp_path / "b.rules", str(tmp_path)
    assert [(fault.path, fault.line) for fault in error.value.faults] == [
        (str(a), 3), (str(a), 4), (str(a), 6), (str(b), 2), (str(b), 3),
        (f"{where}/classification.config", 1), (f"{where}/threshold.config", 1),
    ]  # fmt: skip
    text = str(error.value)
    assert text.startswith("7 lines of the rules cannot be honoured:\n  ")
    assert f"{a}:3: drop would block traffic, and the sensor never does; write alert" in text
    # Everything that is wrong with a rule is told at once.
    assert f"{a}:4: content looks into packets, and a flow record keeps no payload; priority: the priority '0'" in text
    assert f"{b}:2: sid 1000001 is already that of {a}:2" in text
    assert "reject would block" in text
    assert "sid, the signature id, is missing; 'nine' is not a port" in text


def test_a_folder_without_rules_is_a_fault(tmp_path):
    for folder, reason in ((tmp_path, "has no *.rules file"), (tmp_path / "none", "is not a folder of rules")):
        with pytest.raises(RuleError, match="1 line of the rules") as error:
            Rulebook.load(folder, NETS)
        assert str(error.value).endswith(f"{folder}: {reason.replace('*', '*')}")


def test_a_file_that_is_no_text_is_a_fault(tmp_path):
    (tmp_path / "a.rules").write_bytes(b"\xff\xfe")
    (fault,) = read_directory(tmp_path, NETS).faults
    assert str(fault) == f"{tmp_path / 'a.rules'}: is not UTF-8 at byte 0"


def test_commented_out_rules_are_counted_and_never_wrong(tmp_path):
    write(tmp_path, [rule(), "#" + rule(sid=5), "# " + rule("nonsense;")])
    reading = read_directory(tmp_path, NETS)
    assert (len(reading.rules), reading.disabled, reading.faults) == (1, 2, ())


def test_a_pass_rule_takes_no_threshold():
    text = rule("threshold:type limit, track by_src, count 1, seconds 1;", head="pass ip any any -> any any")
    with pytest.raises(ValueError, match="takes no threshold"):
        read_rule(text, Tables(), {}, "a.rules", 1)


def test_the_detector_is_asked_before_addresses():
    text = rule("flow.age:>3; flowbits:isset,ml.dos; flowbits:isset,ml.dos;", head="alert ip 10.0.0.1 any -> any any")
    kinds = [type(one) for one in read_rule(text, Tables(), {}, "a.rules", 1).conditions]
    assert kinds[0] is FlowBits
    assert kinds.count(FlowBits) == 1
    assert kinds[-1] is AddressIn


def test_the_classes_of_a_rule_are_those_it_wants():
    options = "flowbits:isset,ml.scan|ml.dos; flowbits:isset,ml.alert; flowbits:isnotset,ml.bot;"
    assert read_rule(rule(options), Tables(), {}, "a.rules", 1).classes == ("dos", "scan")


word = st.text("abcdefgh XYZ0123456789.-_", min_size=1, max_size=20).map(str.strip).filter(bool)


@settings(deadline=None)
@given(
    action=st.sampled_from(["alert", "pass"]),
    message=word,
    sid=st.integers(1, 2**32 - 1),
    rev=st.integers(1, 9),
    metadata=st.dictionaries(st.text("abc", min_size=1, max_size=3), word, max_size=3),
    target=st.sampled_from(["$HOME_NET", "[10.0.0.0/8,!10.1.0.0/16]", "any", "2001:db8::/32"]),
    ports=st.sampled_from(["any", "80", "[80,443:445,!444]", "1024:"]),
)
def test_suricataparser_reads_the_same(action, message, sid, rev, metadata, target, ports):
    entries = ", ".join(f"{key} {value}" for key, value in metadata.items())
    text = (
        f'{action} tcp any any -> {target} {ports} (msg:"{message}"; flowbits:isset,ml.dos; '
        + (f"metadata:{entries}; " if entries else "")
        + f"sid:{sid}; rev:{rev};)"
    )
    theirs = suricataparser.parse_rule(text)
    assert theirs is not None
    ours = read_rule(text, Tables(), NETS, "a.rules", 1)
    assert (ours.action, ours.msg, ours.sid, ours.rev) == (theirs.action, theirs.msg, theirs.sid, theirs.rev)
    assert {f"{key} {value}" for key, values in ours.metadata.items() for value in values} == set(theirs.metadata)


@settings(deadline=None)
@given(st.text('alert ip(any)->;:"\\[],! \tsid1\n#', max_size=80))
def test_garbage_is_faults_and_no_crash(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("rules")
    (folder / "a.rules").write_text(text)
    reading = read_directory(folder, NETS)
    assert all(fault.reason for fault in reading.faults)
