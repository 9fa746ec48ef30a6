"""A lane of the wire delays, keeps order, loses and has a speed, all by its seed."""

import random
from itertools import pairwise

import pytest

from training.testbed.wire import MOST_FRAMES, QUEUE_S, Lane, Line, host_address, netem

NEAR, FAR = "198.18.100.10", "198.18.100.11"
NEAR6, FAR6 = "2001:db8:100::10", "2001:db8:100::11"


def lane(from_host: bool = True, **line: float) -> Lane:
    addresses = (NEAR, FAR, NEAR6, FAR6)
    return Lane(Line(addresses=addresses, seed=3, **line), from_host, random.Random(3))


def ip(source: str, destination: str, size: int = 60) -> bytes:
    """Return a frame with only what the wire looks at."""
    head = bytes(12) + b"\x08\x00" + bytes(12)
    parts = [bytes(int(part) for part in address.split(".")) for address in (source, destination)]
    return (head + b"".join(parts)).ljust(size, b"\0")


def dues(one: Lane) -> list[float]:
    """Return when the frames under way arrive, by when each was taken."""
    return [due for due, _, _ in sorted(one._waiting, key=lambda entry: entry[1])]


def test_a_frame_arrives_after_the_delay_and_not_before():
    one = lane(delay_ms=10)
    one.take(b"x", 1.0)
    assert one.due(1.0099) == []
    assert one.next_s() == pytest.approx(1.010)
    assert one.due(1.0101) == [b"x"]
    assert one.next_s() is None


def test_jitter_never_changes_the_order_and_differs_between_bursts():
    one = lane(delay_ms=10, jitter_ms=8)
    for number in range(100):
        one.take(bytes([number]), number / 100)
    extra = [due - at / 100 for at, due in enumerate(dues(one))]
    assert min(extra) >= 0.010 and len({round(value, 6) for value in extra}) > 50
    assert one.due(9.0) == [bytes([number]) for number in range(100)]


def test_frames_of_one_burst_share_their_jitter():
    one = lane(delay_ms=10, jitter_ms=8)
    for number in range(20):
        one.take(b"x", 1.0 + number * 1e-4)
    assert all(later - earlier == pytest.approx(1e-4) for earlier, later in pairwise(dues(one)))


def test_loss_is_a_share_and_repeats_with_the_seed():
    def arrived() -> list[bytes]:
        one = lane(loss=0.3)
        for number in range(200):
            one.take(bytes([number]), 0.0)
        assert one.lost + one.carried == 200
        return one.due(1.0)

    assert 100 < len(arrived()) < 180
    assert arrived() == arrived()


@pytest.mark.parametrize("from_host", [True, False])
def test_each_address_has_a_distance_of_its_own_both_ways(from_host: bool):
    one = lane(from_host, delay_ms=10, spread_ms=40)
    for address in (NEAR, FAR, "198.18.100.77"):
        one.take(ip(address, "10.77.1.10") if from_host else ip("10.77.1.10", address), 0.0)
    near, far, stranger = dues(one)
    assert stranger == pytest.approx(0.010)
    assert 0.010 < near < 0.050 and 0.010 < far < 0.050 and abs(near - far) > 0.001
    other_way = lane(not from_host, delay_ms=10, spread_ms=40)
    assert other_way._farther_s == one._farther_s


def test_the_two_addresses_of_a_place_are_equally_far():
    distances = list(lane(spread_ms=40)._farther_s.values())
    assert len(distances) == 4 and distances[:2] == distances[2:]


def test_a_nearer_address_overtakes_and_no_address_overtakes_itself():
    one = lane(delay_ms=10, spread_ms=40)
    nearer, farther = sorted((NEAR, FAR), key=lambda a: dues_of(a))
    for number in range(10):
        one.take(ip(farther, "10.77.1.10", 60 + number), number * 1e-4)
    one.take(ip(nearer, "10.77.1.10", 90), 0.001)
    arrived = one.due(1.0)
    assert len(arrived[0]) == 90
    assert [len(frame) for frame in arrived[1:]] == list(range(60, 70))


def dues_of(address: str) -> float:
    """Return when a frame of an address arrives."""
    one = lane(delay_ms=10, spread_ms=40)
    one.take(ip(address, "10.77.1.10"), 0.0)
    return dues(one)[0]


def test_a_link_has_a_speed_and_a_queue_that_ends():
    one = lane(rate_mbit=10)
    for _ in range(400):
        one.take(bytes(1250), 0.0)  # a millisecond each
    assert dues(one)[:3] == pytest.approx([0.001, 0.002, 0.003])
    assert one.carried == pytest.approx(QUEUE_S / 0.001, abs=1) and one.lost == 400 - one.carried


def test_no_more_frames_are_held_than_there_is_room_for():
    one = lane(delay_ms=1000)
    for _ in range(MOST_FRAMES + 5):
        one.take(b"x", 0.0)
    assert one.lost == 5 and len(one.due(2.0)) == MOST_FRAMES


def test_the_hosts_address_is_found_in_ipv6_too_and_nowhere_else():
    frame = bytes(12) + b"\x86\xdd" + bytes(8) + bytes(range(16)) + bytes(range(16, 32))
    assert host_address(frame, True) == bytes(range(16))
    assert host_address(frame, False) == bytes(range(16, 32))
    assert host_address(bytes(12) + b"\x08\x06" + bytes(40), True) == b""


def test_a_line_that_does_nothing_is_plain():
    assert Line(addresses=(NEAR,), seed=4).is_plain
    assert not Line(rate_mbit=1).is_plain and not Line(loss=0.1).is_plain


def test_netem_is_told_the_same_and_always_keeps_the_order():
    words = " ".join(netem("at-phone", Line(delay_ms=3.5, jitter_ms=2.5, loss=0.002)))
    assert words.startswith("tc qdisc add dev at-phone root netem limit ")
    # Evenly from 3.5 to 8.5 ms; with a rate it does not reorder.
    assert words.endswith("delay 6.000ms 2.500ms loss 0.2000% rate 10000.000mbit")
    assert netem("x", Line(rate_mbit=20))[-4:] == ["0.000ms", "0.000ms", "rate", "20.000mbit"]
