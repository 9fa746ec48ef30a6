"""The queue of finished flows: bounded, and choosy about what it sheds."""

import threading
from typing import Any

import numpy as np
import pytest

from sensor.daemon.waiting import Waiting
from sensor.flows import FLOW_DTYPE
from sensor.scoring import Place

HERE = Place(in_iface="eth0")


def flows(*packets: int) -> Any:
    """Return one flow record for each number of packets."""
    made = np.zeros(len(packets), FLOW_DTYPE)
    made["fwd"]["pkts"] = packets
    return made


def test_what_is_put_is_taken_in_order_and_once():
    waiting = Waiting(100)
    waiting.put(flows(1, 2), HERE)
    waiting.put(flows(3), Place(in_iface="eth1"))
    assert len(waiting) == 3
    taken = waiting.take(0)
    assert [batch.flows["fwd"]["pkts"].tolist() for batch in taken] == [[1, 2], [3]]
    assert [batch.place.in_iface for batch in taken] == ["eth0", "eth1"]
    assert waiting.take(0) == []
    assert waiting.shed == 0


def test_flows_of_one_packet_are_shed_before_others():
    waiting = Waiting(8)
    waiting.put(flows(*[1] * 6), HERE)
    waiting.put(flows(1, 5, 1, 7), HERE)
    (_, kept) = waiting.take(0)
    assert kept.flows["fwd"]["pkts"].tolist() == [5, 7]
    assert (waiting.shed, waiting.shed_singles) == (2, 2)


def test_at_the_limit_everything_is_shed_and_counted():
    waiting = Waiting(4)
    waiting.put(flows(2, 2, 2), HERE)
    waiting.put(flows(3, 3, 3), HERE)
    assert len(waiting) == 4
    assert (waiting.shed, waiting.shed_singles) == (2, 0)


def test_nothing_is_lost_from_the_count_however_it_is_put():
    waiting = Waiting(50)
    rng = np.random.default_rng(5)
    put = 0
    for size in rng.integers(0, 20, 40):
        waiting.put(flows(*rng.integers(1, 3, size)), HERE)
        put += int(size)
    assert len(waiting) + waiting.shed == put
    assert len(waiting) <= 50


def test_a_source_that_has_ended_waits_for_room():
    waiting = Waiting(4)
    waiting.put_patiently(flows(2, 2, 2, 2), HERE)
    blocked = threading.Thread(target=waiting.put_patiently, args=(flows(9), HERE))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    assert len(waiting.take(0)) == 1
    blocked.join(10)
    assert not blocked.is_alive()
    assert waiting.take(0)[0].flows["fwd"]["pkts"].tolist() == [9]
    assert waiting.shed == 0


def test_closing_counts_what_waits_and_lets_nobody_wait():
    waiting = Waiting(2)
    waiting.put(flows(2), HERE)
    waiting.close()
    waiting.put_patiently(flows(2, 2), HERE)
    assert waiting.shed == 3
    assert waiting.take(0) == []


def test_a_limit_below_one_is_a_mistake():
    with pytest.raises(ValueError, match="not 0"):
        Waiting(0)
