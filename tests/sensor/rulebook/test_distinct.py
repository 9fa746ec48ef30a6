"""How many different things there were, told from little memory."""

import ipaddress

import numpy as np
import pytest

from sensor.rulebook.distinct import MOST, SLOTS, Distinct, slots_of


def addresses(count: int, first: str = "10.0.0.0") -> np.ndarray:
    start = ipaddress.ip_address(first)
    packed = b"".join((start + i).packed.ljust(16, b"\0") for i in range(count))
    return np.frombuffer(packed, np.uint8).reshape(count, 16)


def estimate(rows: np.ndarray) -> int:
    distinct = Distinct()
    for slot in slots_of(rows):
        distinct.add(slot)
    return distinct.estimate()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_a_few_are_exact(count):
    assert estimate(addresses(count)) == count


@pytest.mark.parametrize("first", ["10.0.0.0", "198.51.100.77", "2001:db8::", "2001:db8:0:ffff:ffff:ffff:ffff:0"])
@pytest.mark.parametrize("count", [50, 500, 2000])
def test_many_are_estimated(first, count):
    assert abs(estimate(addresses(count, first)) - count) <= max(4, 0.1 * count)


def test_the_same_again_is_not_one_more():
    rows = addresses(30)
    assert estimate(np.concatenate([rows, rows, rows])) == estimate(rows)


def test_there_is_a_largest_number():
    assert estimate(addresses(60_000)) == MOST
    assert MOST == 7098


def test_slots_do_not_depend_on_the_process():
    assert slots_of(addresses(3)) == slots_of(addresses(3).copy())
    assert all(0 <= slot < SLOTS for slot in slots_of(addresses(9)))
    assert slots_of(addresses(0)) == []
