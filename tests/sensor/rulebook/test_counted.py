"""Open flows that were counted: remembered by rule, and the longest silent forgotten first."""

from sensor.rulebook.counted import Counted


def test_a_flow_is_remembered_for_each_rule():
    counted = Counted(9)
    counted.remember(0, 77, 5)
    assert (counted.find(0, 77), counted.find(1, 77), counted.find(0, 78)) == (5, None, None)
    counted.forget(0, 77)
    assert (counted.find(0, 77), len(counted)) == (None, 0)


def test_the_one_heard_of_longest_ago_is_forgotten_first():
    counted = Counted(2)
    assert counted.remember(0, 1, 10) is None
    assert counted.remember(0, 2, 20) is None
    assert counted.remember(0, 1, 10) is None
    assert counted.remember(0, 3, 30) == 20
    assert [counted.find(0, flow) for flow in (1, 2, 3)] == [10, None, 30]


def test_rules_move():
    counted = Counted(9)
    for place in range(3):
        counted.remember(place, 1, place)
    moved = counted.moved({0: 2, 2: 0})
    assert [moved.find(place, 1) for place in range(3)] == [2, None, 0]
