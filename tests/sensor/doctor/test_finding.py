"""A finding as a line and as JSON."""

from sensor.doctor.finding import Finding


def test_a_line_has_the_outcome_the_check_what_was_found_and_the_remedy():
    assert Finding("ring eth0", "fail", "no memory", "buy some").line(10) == "fail     ring eth0   no memory; buy some"
    assert Finding("clock", "ok", "noon").line(6) == "ok       clock   noon"


def test_json_has_all_of_it():
    told = Finding("clock", "ok", "noon").as_json()
    assert told == {"check": "clock", "outcome": "ok", "found": "noon", "remedy": ""}
