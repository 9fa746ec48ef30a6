"""What a rule says of itself."""

from dataclasses import replace

from sensor.rulebook import Rule


def test_severity_place_and_order():
    one = Rule("alert", 1000002, (), "a.rules", 7, priority=2)
    other = Rule("alert", 1000001, (), "a.rules", 9)
    assert (one.severity, one.place) == (2, "a.rules:7")
    assert (other.severity, other.gid, other.rev, other.msg, other.category) == (3, 1, 0, "", "")
    assert sorted([other, one], key=lambda rule: rule.order) == [one, other]


def test_a_rule_says_the_same_wherever_it_stands():
    one = Rule("alert", 1, (), "a.rules", 1, msg="x", metadata={"a": ("b",)})
    assert one.says_the_same(replace(one, path="b.rules", line=9))
    for other in (replace(one, rev=2), replace(one, msg="y"), replace(one, metadata={}), replace(one, priority=1)):
        assert not one.says_the_same(other)
