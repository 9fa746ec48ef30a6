"""What a rule says of itself."""

from sensor.rulebook import Rule


def test_severity_place_and_order():
    one = Rule("alert", 1000002, (), "a.rules", 7, priority=2)
    other = Rule("alert", 1000001, (), "a.rules", 9)
    assert (one.severity, one.place) == (2, "a.rules:7")
    assert (other.severity, other.gid, other.rev, other.msg, other.category) == (3, 1, 0, "", "")
    assert sorted([other, one], key=lambda rule: rule.order) == [one, other]
