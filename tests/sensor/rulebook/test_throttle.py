"""Thresholds: their grammar, and the sequences of alerts that Suricata 7 and 8 gave for them."""

import pytest

from sensor.rulebook.throttle import Throttle, parse_detection_filter, parse_threshold, read_number
from tests.sensor.rulebook.table import F, book, rule, scored

SECONDS = [0, 1, 2, 5, 9.5, 10, 10.000001, 11, 12, 19, 20, 20.5, 21, 31.2, 31.3, 50, 55, 60, 60.1, 61]

# What Suricata 7.0.10 and 8.0.7 alerted on, both alike, when one packet matched at each of these seconds.
MEASURED = {
    "threshold:type limit, track by_src, count 1, seconds 10;": [0, 10.000001, 20.5, 31.2, 50, 60.1],
    "threshold:type limit, track by_src, count 2, seconds 10;":
        [0, 1, 10.000001, 11, 20.5, 21, 31.2, 31.3, 50, 55, 60.1, 61],
    "threshold:type limit, track by_src, count 3, seconds 10;":
        [0, 1, 2, 10.000001, 11, 12, 20.5, 21, 31.2, 31.3, 50, 55, 60, 60.1, 61],
    "threshold:type threshold, track by_src, count 1, seconds 10;": SECONDS,
    "threshold:type threshold, track by_src, count 2, seconds 10;": [1, 5, 10, 11, 19, 21, 31.3, 55, 61],
    "threshold:type threshold, track by_src, count 3, seconds 10;": [2, 10, 12, 60],
    "threshold:type both, track by_src, count 1, seconds 10;": [0, 10.000001, 20.5, 31.2, 50, 60.1],
    "threshold:type both, track by_src, count 2, seconds 10;": [1, 11, 21, 31.3, 55, 61],
    "threshold:type both, track by_src, count 3, seconds 10;": [2, 12, 60],
    "detection_filter:track by_src, count 1, seconds 10;":
        [1, 2, 5, 9.5, 10, 11, 12, 19, 20, 21, 31.3, 55, 60, 61],
    "detection_filter:track by_src, count 2, seconds 10;": [2, 5, 9.5, 10, 12, 19, 20, 60],
    "detection_filter:track by_src, count 3, seconds 10;": [5, 9.5, 10, 19, 20],
}  # fmt: skip


@pytest.mark.parametrize("option", MEASURED)
def test_alerts_come_when_suricata_gives_them(tmp_path, option):
    rules = book(tmp_path, rule(option))
    verdicts = rules.judge(scored([F(end=1000 + second) for second in SECONDS]))
    assert [SECONDS[one.row] for one in verdicts if not one.update] == MEASURED[option]


# Of five flows these were alerted on by the same two, for `limit, count 1` and each way of tracking.
PAIRS = [
    ("10.0.0.1", "9.9.9.9"), ("9.9.9.9", "10.0.0.1"), ("10.0.0.1", "9.9.9.8"), ("10.0.0.2", "9.9.9.9"),
    ("10.0.0.1", "9.9.9.9"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("track", "rows"), [("by_src", [0, 1, 3]), ("by_dst", [0, 1, 2]), ("by_both", [0, 2, 3]), ("by_rule", [0])]
)
def test_windows_are_shared_as_suricata_shares_them(tmp_path, track, rows):
    rules = book(tmp_path, rule(f"threshold:type limit, track {track}, count 1, seconds 10;"))
    flows = [F(src=src, dst=dst, end=1000 + 0.1 * i) for i, (src, dst) in enumerate(PAIRS)]
    assert [one.row for one in rules.judge(scored(flows))] == rows


def test_the_grammar_takes_any_order_and_blanks():
    wanted = Throttle("both", "by_dst", 5, 60)
    assert parse_threshold("type both, track by_dst, count 5, seconds 60") == wanted
    assert parse_threshold("seconds  60 ,count 5,track by_dst,type both ") == wanted
    assert parse_detection_filter("count 5, seconds 60, track by_src") == Throttle("detection_filter", "by_src", 5, 60)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type limit, track by_src, count 1", "seconds must be given"),
        ("type limit", "track and count and seconds must be given"),
        ("type limit, track by_src, count, seconds 1", "count must be given"),
        ("type never, track by_src, count 1, seconds 1", "'never' is not one of limit"),
        ("type backoff, track by_flow, count 1, multiplier 10", "multiplier 10"),
        ("type limit, track by_flow, count 1, seconds 1", "a flow is judged once"),
        ("type limit, track incident, count 1, seconds 1", "'incident' is not one of by_src, by_dst, by_both, by_rule"),
        ("type limit, track by_src, count 0, seconds 1", "count '0'"),
        ("type limit, track by_src, count 1, seconds 0", "seconds '0'"),
        ("type limit, track by_src, count 1, seconds 1m", "seconds '1m'"),
        ("type limit, track by_src, count 1, seconds 1, count 2", "count is given twice"),
        ("", "'' is not one of"),
    ],
)
def test_what_is_no_threshold_has_a_reason(text, reason):
    with pytest.raises(ValueError) as error:
        parse_threshold(text)
    assert reason in str(error.value)


def test_backoff_counts_packets():
    with pytest.raises(ValueError, match="a flow is judged once"):
        parse_threshold("type backoff, track by_flow, count 1, seconds 1")


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "0x1", "²", "1 ", "11", "9" * 5000])
def test_a_number_is_decimal_digits_within_its_limits(text):
    assert read_number("10", "it", 1, 10) == 10
    with pytest.raises(ValueError):
        read_number(text, "it", 1, 10)
