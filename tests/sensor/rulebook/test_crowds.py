"""When what begins is too much to be told one by one."""

from sensor.rulebook.crowds import Crowds

A, B = b"\0" * 8 + b"class..." + b"a", b"\1" + b"\0" * 7 + b"class..." + b"b"


def joined(crowds: Crowds, *times: int, key: bytes = A, window: int = 10, most: int = 3) -> list[bool]:
    return [crowds.joins(key, time, window, most) for time in times]


def test_above_the_number_what_begins_joins_the_crowd():
    crowds = Crowds(9)
    assert joined(crowds, 0, 1, 2, 3, 10) == [False, False, False, True, True]
    assert joined(crowds, 1, 2, key=B) == [False, False]


def test_a_window_begins_anew_and_a_crowd_that_was_goes_on():
    crowds = Crowds(9)
    joined(crowds, 0, 1, 2, 3)
    assert joined(crowds, 11) == [True]
    assert joined(crowds, 22) == [False], "only one came in the window before"


def test_a_crowd_long_ago_is_none():
    crowds = Crowds(9)
    joined(crowds, 0, 1, 2, 3)
    assert joined(crowds, 21) == [False]


def test_what_comes_late_counts_in_the_window_that_is():
    assert joined(Crowds(9), 100, 5, 5, 5) == [False, False, False, True]


def test_what_is_quiet_longest_is_forgotten_first():
    crowds = Crowds(2)
    joined(crowds, 0, 1, 2)
    joined(crowds, 3, key=B)
    joined(crowds, 4, key=A)
    joined(crowds, 5, key=A[:16] + b"c")
    assert len(crowds) == 2
    assert joined(crowds, 6) == [True]


def test_rules_move():
    crowds = Crowds(9)
    joined(crowds, 0, 1, 2)
    joined(crowds, 0, 1, 2, key=B)
    moved = crowds.moved({0: 1})
    assert len(moved) == 1
    assert joined(moved, 3, key=b"\1" + A[1:]) == [True]
