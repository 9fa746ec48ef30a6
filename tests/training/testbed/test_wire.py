"""A lane of the wire delays, keeps order and loses, all by its seed."""

import random

import pytest

from training.testbed.wire import Lane


def lane(loss: float = 0.0, jitter_s: float = 0.0) -> Lane:
    return Lane(delay_s=0.010, jitter_s=jitter_s, loss=loss, rng=random.Random(3))


def test_a_frame_arrives_after_the_delay_and_not_before():
    one = lane()
    one.take(b"x", 1.0)
    assert one.due(1.0099) == []
    assert one.wait_s(1.004) == pytest.approx(0.006)
    assert one.due(1.0101) == [b"x"]
    assert one.wait_s(2.0) is None


def test_jitter_never_changes_the_order_and_differs_between_frames():
    one = lane(jitter_s=0.02)
    for number in range(100):
        one.take(bytes([number]), number / 1000)
    dues = [due for due, _ in one.waiting]
    assert dues == sorted(dues)
    assert len({round(due - at / 1000, 6) for at, due in enumerate(dues)}) > 5
    assert one.due(9.0) == [bytes([number]) for number in range(100)]


def test_loss_is_a_share_and_repeats_with_the_seed():
    def arrived() -> list[bytes]:
        one = lane(loss=0.3)
        for number in range(200):
            one.take(bytes([number]), 0.0)
        return one.due(1.0)

    assert 100 < len(arrived()) < 180
    assert arrived() == arrived()
