"""The table of alerts and the closing figures."""

from typing import Any

from sensor.cli.report import Run, alert_lines, heading, summary

ALERT: dict[str, Any] = {
    "timestamp": "2026-11-21T22:00:00.123456+0000",
    "src_ip": "10.0.0.1",
    "src_port": 40000,
    "dest_ip": "10.0.0.2",
    "dest_port": 80,
    "alert": {
        "signature": "NETTRUSION scan",
        "severity": 3,
        "metadata": {"ml_score": ["0.98765"], "ml_features": ["a=1 (median 2, share 41%)", "b=3 (median 0, share 9%)"]},
    },
}


def test_an_alert_names_who_what_how_sure_and_why():
    first, *reasons = alert_lines(ALERT)
    assert first.split() == [
        "2026-11-21", "22:00:00.123", "10.0.0.1:40000", "10.0.0.2:80", "3", "0.988", "NETTRUSION", "scan",
    ]  # fmt: skip
    assert reasons == ["    a=1 (median 2, share 41%)", "    b=3 (median 0, share 9%)"]


def test_columns_stand_under_their_headings():
    first = next(alert_lines(ALERT))
    assert first.index("10.0.0.2") == heading().index("destination")
    assert first.index("NETTRUSION") == heading().index("signature")


def test_an_incident_says_how_many_flows_it_has():
    said = ALERT["alert"] | {"metadata": {"ml_score": ["1"], "ml_incident_flows": ["250"]}}
    assert next(alert_lines(ALERT | {"alert": said})).endswith("NETTRUSION scan (250 flows)")


def test_ends_without_ports_and_with_ipv6():
    bare = {key: value for key, value in ALERT.items() if not key.endswith("_port")}
    assert " 10.0.0.1 " in next(alert_lines(bare))
    none = {key: value for key, value in bare.items() if not key.endswith("_ip")}
    assert next(alert_lines(none)).split()[2:4] == ["-", "-"]
    six = ALERT | {"src_ip": "2001:0db8:0000:0000:0000:0000:0000:0001"}
    assert " [2001:db8::1]:40000 " in next(alert_lines(six))


def test_text_from_elsewhere_cannot_move_the_cursor():
    said = ALERT["alert"] | {"signature": "a\x1b[2Jb"}
    assert next(alert_lines(ALERT | {"alert": said})).endswith("a?[2Jb")


def figures(**changes):
    given = {
        "captures": 2,
        "counters": {"packets": 1200, "bytes": 600_000, "flows": 30, "evicted": 4, "arp": 20, "truncated_ip": 3},
        "reasons": ("arp", "llc", "truncated_ip"),
        "alerts": 5,
        "updates": 2,
        "written": {"lines": 6, "dropped_lines": 0},
        "output": "eve.json",
        "seconds": 0.5,
    }
    return Run(**{**given, **changes})


def test_the_closing_table_has_every_figure_and_only_reasons_that_occurred():
    assert list(summary(figures())) == [
        "captures        2",
        "packets         1,200 (600.0 kB on the wire)",
        "flows           30",
        "alerts          5 (and 2 later counts)",
        "in no flow      23 packets",
        "  arp           20",
        "  truncated ip  3",
        "evicted         4 flows left early, the table being full",
        "events          6 lines in eve.json",
        "speed           0.50 s, 2,400 packets a second",
    ]


def test_lost_lines_are_not_hidden():
    shown = "\n".join(summary(figures(written={"lines": 6, "dropped_lines": 7})))
    assert "dropped         7 lines that the output did not take" in shown


def test_nothing_read_in_no_time_is_still_a_table():
    shown = list(summary(figures(counters={}, written={}, seconds=0.0)))
    assert "speed       0.00 s" in shown
