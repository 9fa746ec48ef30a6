"""threshold.config: which rules its lines reach, and what it refuses."""

import pytest

from sensor.rulebook import RuleError, read_directory
from tests.sensor.rulebook.table import NETS, F, book, rule, scored, told, write

PAIRS = [("10.0.0.1", "9.9.9.9"), ("9.9.9.9", "10.0.0.1"), ("10.0.0.1", "9.9.9.8"), ("10.0.0.2", "9.9.9.9")]
FLOWS = [F(src=src, dst=dst, end=1000 + 0.1 * i) for i, (src, dst) in enumerate(PAIRS)]
EVERY = "threshold:type threshold, track by_rule, count 1, seconds 1;"


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        # These are what Suricata 7.0.10 and 8.0.7 left over of the same four packets.
        ("suppress gen_id 1, sig_id 1000001", []),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip 10.0.0.1", [1, 3]),
        ("suppress gen_id 1, sig_id 1000001, track by_either, ip 9.9.9.8", [0, 1, 3]),
        ("suppress gen_id 1, sig_id 1000001, track by_either, ip 10.0.0.2", [0, 1, 2]),
        ("suppress gen_id 1, sig_id 1000001, track by_dst, ip [9.9.9.8,10.0.0.0/30]", [0, 3]),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip $HOME_NET", [1]),
        ("suppress gen_id 1 , sig_id 1000001 , track by_src , ip 10.0.0.1, 10.0.0.2", [1]),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip 10.0.0.1\n"
         "suppress gen_id 1, sig_id 1000001, track by_src, ip 10.0.0.2", [1]),
        ("suppress gen_id 1, sig_id 0, track by_src, ip 10.0.0.1", [1, 3]),
        ("suppress gen_id 0, sig_id 0, \\\n  track by_src, ip 10.0.0.1", [1, 3]),
        ("suppress gen_id 2, sig_id 0", [0, 1, 2, 3]),
        ("#suppress gen_id 1, sig_id 1000001", [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_suppression(tmp_path, line, rows):
    rules = book(tmp_path, rule(EVERY), threshold=f"# words\n\n{line}\n")
    assert [one.row for one in rules.judge(scored(FLOWS))] == rows
    counters = rules.counters
    assert (counters["matched"], counters["suppressed"]) == (4, 4 - len(rows))
    assert counters["alerted"] == len(rows)


def test_what_is_suppressed_does_not_count_towards_a_threshold(tmp_path):
    rules = book(
        tmp_path,
        rule("threshold:type both, track by_rule, count 2, seconds 10;"),
        threshold="suppress gen_id 1, sig_id 1000001, track by_src, ip 10.0.0.1\n",
    )
    assert [one.row for one in rules.judge(scored(FLOWS))] == [3]


LIMIT = "type limit, track by_rule, count 1, seconds 10"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (f"threshold gen_id 1, sig_id 1000001, {LIMIT}", {1000001: [0], 1000002: [0, 1, 2, 3]}),
        (f"event_filter gen_id 1, sig_id 1000001, {LIMIT}", {1000001: [0], 1000002: [0, 1, 2, 3]}),
        # For all rules: only for those that have none of their own.
        (f"threshold gen_id 0, sig_id 0, {LIMIT}", {1000001: [0, 1, 2, 3], 1000002: [0]}),
        (f"threshold gen_id 1, sig_id 0, {LIMIT}", {1000001: [0, 1, 2, 3], 1000002: [0]}),
        (f"threshold gen_id 2, sig_id 0, {LIMIT}", {1000001: [0, 1, 2, 3], 1000002: [0, 1, 2, 3]}),
    ],
)
def test_thresholds_reach_the_rules_they_name(tmp_path, text, rows):
    rules = book(tmp_path, rule(EVERY), rule(sid=1000002), threshold=f"{text}\n")
    found: dict[int, list[int]] = {}
    for row, sid, _, _ in told(rules.judge(scored(FLOWS))):
        found.setdefault(sid, []).append(row)
    assert found == rows


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action drop, timeout 1",
         "rate_filter changes a rule's action"),
        ("silence gen_id 1, sig_id 1", "'silence' is not one of threshold"),
        ("suppress", "followed by gen_id"),
        ("suppress sig_id 1, gen_id 1", "stands where gen_id N should"),
        ("suppress gen_id 1, sig_id x", "sig_id 'x'"),
        ("suppress gen_id 0, sig_id 1000001", "gen_id must not be 0"),
        ("suppress gen_id 1, sig_id 1000001, track by_rule, ip 10.0.0.1", "'track by_rule' is not track with"),
        ("suppress gen_id 1, sig_id 1000001, track by_src", "ip with an address"),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip", "ip with an address"),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip !$HOME_NET", "no negation here"),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip $NOPE", "no variable $NOPE"),
        ("suppress gen_id 1, sig_id 1000001, track by_src, ip ten", "is not an address"),
        ("threshold gen_id 1, sig_id 1000001, type limit, track by_src, count 1", "seconds must be given"),
        (f"threshold gen_id 1, sig_id 1000001, {LIMIT}\nthreshold gen_id 1, sig_id 1000001, {LIMIT}",
         "has a threshold further up"),
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_has_a_reason_and_a_line(tmp_path, line, reason):
    with pytest.raises(RuleError) as error:
        book(tmp_path, rule(), threshold=f"# first\n{line}\n")
    (fault,) = error.value.faults
    assert fault.path == str(tmp_path / "threshold.config")
    assert fault.line == 2 + line.count("\n")
    assert reason in fault.reason


def test_a_line_for_no_rule_is_a_warning(tmp_path):
    write(tmp_path, rule(), threshold="\nsuppress gen_id 1, sig_id 7\n")
    (warning,) = read_directory(tmp_path, NETS).warnings
    assert (warning.line, warning.reason) == (2, "no rule has gid 1 and sid 7")


def test_a_file_that_is_no_text_is_a_fault(tmp_path):
    write(tmp_path, rule())
    (tmp_path / "threshold.config").write_bytes(b"\xff")
    (fault,) = read_directory(tmp_path, NETS).faults
    assert "is not UTF-8" in fault.reason
