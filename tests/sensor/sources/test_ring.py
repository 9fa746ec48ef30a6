"""A live interface as a source: windows, ticks, going down and coming back, and closing from elsewhere."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources import Source
from sensor.sources.fanout import Fanout
from sensor.sources.ring import RingSource, open_rings
from tests.live.blocks import LIMIT_S, packets, read_all
from tests.live.cable import Cable
from tests.packets import connection, tcp

SMALL = CaptureConfig(ring_mb=1, block_kb=64, block_ms=10)
FRAMES = [one.frame for one in connection("10.0.0.1", "10.0.0.2", (4000, 80))]


def opened(cable: Cable, **options: Any) -> RingSource:
    with cable.inside("sensor"):
        return RingSource(cable.interface, replace(SMALL, **options))


def wait_for(source: RingSource, cable: Cable, ready: Callable[[], bool]) -> list[str]:
    """Go on reading, where interfaces are looked at in the sensor's namespace; return what it said."""
    said: list[str] = []
    limit = time.monotonic() + LIMIT_S
    while not ready():
        assert time.monotonic() < limit, said
        with cable.inside("sensor"):
            assert source.more()
        source.advance(len(source.window))
        said += source.notices()
    return said


def test_it_is_a_source(cable: Cable):
    ring = opened(cable)
    source: Source = ring
    assert (source.framing, source.live, source.begun, source.size, source.fault) == ("ring", True, 1, None, None)
    assert (source.name, source.in_iface, source.link_type, source.mtu) == (cable.interface, cable.interface, 1, 1500)
    assert source.notices() == []
    source.close()


def test_a_block_is_the_window_until_it_is_used_up(cable: Cable):
    source = opened(cable)
    cable.send(FRAMES)
    while not source.window:
        assert source.more()
    whole = bytes(source.window)
    assert [one.data for one in packets(source.window)] == [frame[:256] for frame in FRAMES]
    source.advance(48)
    cable.send(FRAMES)
    assert source.more()
    assert bytes(source.window) == whole[48:]
    assert source.window.readonly
    source.advance(len(source.window))
    assert not source.window
    assert source.position == len(whole)
    assert len(read_all(source)) == len(FRAMES)
    source.close()


def test_a_silent_wire_tells_the_time(cable: Cable):
    source = opened(cable)
    before = time.time_ns()
    begin = time.monotonic()
    assert source.more()
    assert time.monotonic() - begin < 1
    assert not source.window
    assert source.horizon_ns is not None
    assert before - 10**9 < source.horizon_ns < time.time_ns()
    source.close()


def test_nothing_comes_from_before_the_horizon(cable: Cable):
    # Longer than `more` waits: it comes back empty while packets lie in a block that is not handed over yet.
    source = opened(cable, block_ms=400)
    stop = threading.Event()

    def trickle():
        while not stop.wait(0.02):
            cable.send(FRAMES[:1])

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        seen = horizon = silences = 0
        while seen < 80 or not silences:
            assert source.more()
            if source.window:
                assert all(one.time_ns > horizon for one in packets(source.window))
                seen += len(list(packets(source.window)))
                source.advance(len(source.window))
            else:
                horizon, silences = source.horizon_ns or 0, silences + 1
    finally:
        stop.set()
        sender.join()
        source.close()


def test_an_interface_that_goes_down_and_comes_back_is_survived_and_said_once(cable: Cable):
    source = opened(cable)
    cable.send(FRAMES)
    assert len(read_all(source)) == len(FRAMES)
    cable.run("sensor", "ip", "link", "set", cable.interface, "down")
    said = wait_for(source, cable, lambda: not source.up)
    for _ in range(3):
        said += wait_for(source, cable, lambda: True)
    cable.run("sensor", "ip", "link", "set", cable.interface, "up")
    said += wait_for(source, cable, lambda: source.up)
    assert said == ["tap0: went down; capture goes on when it is up", "tap0: is up again"]
    cable.send(FRAMES)
    assert len(read_all(source)) == len(FRAMES)
    assert source.counters["kernel_packets"] == 2 * len(FRAMES)
    assert source.notices() == []
    source.close()


@pytest.mark.parametrize("down_first", [False, True])
def test_an_interface_that_is_made_anew_is_found_again(cable: Cable, down_first):
    source = opened(cable)
    cable.send(FRAMES)
    if down_first:
        cable.run("sensor", "ip", "link", "set", cable.interface, "down")
        wait_for(source, cable, lambda: not source.up)
    cable.unplug()
    said = wait_for(source, cable, lambda: not source.up)
    cable.plug()
    cable.run("sensor", "ip", "link", "set", cable.interface, "mtu", "1400")
    said += wait_for(source, cable, lambda: source.up)
    assert said[-1] == "tap0: is up; capturing"
    cable.send(FRAMES)
    assert [one.data for one in read_all(source)] == [frame[:256] for frame in FRAMES]
    assert source.counters["kernel_packets"] == 2 * len(FRAMES), "counts go on"
    source.close()


def test_what_came_before_the_interface_went_is_handed_out(cable: Cable):
    source = opened(cable, block_ms=200)
    cable.send(FRAMES)
    cable.unplug()
    cable.plug()
    seen: list[bytes] = []
    limit = time.monotonic() + LIMIT_S
    while not seen or not source.up:
        assert time.monotonic() < limit
        with cable.inside("sensor"):
            source.more()
        seen += [one.data for one in packets(source.window)] if source.window else []
        source.advance(len(source.window))
    assert seen == [frame[:256] for frame in FRAMES]
    source.close()


def test_workers_of_an_interface_that_is_made_anew_share_it_again(cable: Cable):
    with cable.inside("sensor"):
        sources = open_rings(cable.interface, replace(SMALL, workers=2))
    cable.unplug()
    one, other = sources
    said = wait_for(one, cable, lambda: not one.up) + wait_for(other, cable, lambda: not other.up)
    cable.plug()
    said += wait_for(one, cable, lambda: one.up) + wait_for(other, cable, lambda: other.up)
    assert said == ["tap0: went down; capture goes on when it is up", "tap0: is up; capturing"]
    frames = [tcp(f"10.0.0.{host}", "10.0.1.1", (1, 2), 2) for host in range(1, 41)]
    cable.send(frames)
    caught = [{packet.data for packet in read_all(source)} for source in sources]
    for source in sources:
        source.close()
    assert caught[0] | caught[1] == set(frames)
    assert not caught[0] & caught[1]
    assert all(caught)


def test_an_interface_that_is_down_is_waited_for(cable: Cable):
    cable.run("sensor", "ip", "link", "set", cable.interface, "down")
    source = opened(cable, filter="vlan")
    assert source.notices() == ["tap0: is down; capture begins when it is up: ip link set tap0 up"]
    assert wait_for(source, cable, lambda: True) == []
    cable.run("sensor", "ip", "link", "set", cable.interface, "up")
    assert wait_for(source, cable, lambda: source.up) == ["tap0: is up; capturing"]
    cable.send([FRAMES[0], FRAMES[0][:12] + b"\x81\0\0\7" + FRAMES[0][12:]])
    assert [one.tag for one in read_all(source)] == [7]
    source.close()


def test_offloads_are_told_when_it_opens(cable: Cable):
    cable.run("sensor", "ethtool", "-K", cable.interface, "gro", "on", "tso", "on", "gso", "off")
    source = opened(cable)
    (said,) = source.notices()
    source.close()
    assert said.startswith("tap0: the driver joins packets before they are captured (gro), ")
    assert said.endswith("ethtool -K tap0 gro off")
    cable.run("sensor", "ip", "address", "add", "10.7.0.1/24", "dev", cable.interface)
    source = opened(cable)
    (said,) = source.notices()
    source.close()
    assert said.endswith("ethtool -K tap0 gro off tso off"), "with an address here, this machine sends too"


def test_another_thread_may_close_it_while_it_waits(cable: Cable):
    source = opened(cable)
    ended: list[bool] = []
    reader = threading.Thread(target=lambda: ended.append(all(iter(source.more, False))))
    reader.start()
    source.close()
    reader.join(5)
    assert not reader.is_alive()
    assert not source.more()
    source.close()


def test_a_window_that_is_still_read_outlives_closing(cable: Cable):
    source = opened(cable)
    cable.send(FRAMES)
    while not source.window:
        source.more()
    window = source.window
    expected = bytes(window)
    source.close()
    assert bytes(window) == expected
    assert not source.window
    source.advance(10)
    assert not source.more()
    assert source.counters["kernel_packets"] == len(FRAMES)


def test_counters_are_read_by_another_thread_all_the_while(cable: Cable):
    source = opened(cable)
    stop = threading.Event()
    told: list[int] = []

    def look():
        while not stop.is_set():
            told.append(source.counters["kernel_packets"])

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(5):
            cable.send(FRAMES)
            read_all(source, silences=1)
    finally:
        stop.set()
        looker.join()
    assert source.counters["kernel_packets"] == 5 * len(FRAMES)
    assert told == sorted(told)
    source.close()


def test_what_cannot_be_opened_is_told(cable: Cable):
    with cable.inside("sensor"):
        with pytest.raises(NettrusionError, match="there is no such interface"):
            RingSource("tap9")
        with pytest.raises(NettrusionError, match="is no filter that libpcap understands"):
            RingSource(cable.interface, replace(SMALL, filter="nonsense"))


def test_workers_are_opened_together_or_not_at_all(cable: Cable, monkeypatch):
    closed: list[RingSource] = []
    join, close = Fanout.join, RingSource.close

    def refuse_the_second(fanout: Fanout, *ends: Any) -> None:
        if fanout._index:
            raise OSError(22, "Invalid argument")
        join(fanout, *ends)

    def note(source: RingSource) -> None:
        closed.append(source)
        close(source)

    monkeypatch.setattr(Fanout, "join", refuse_the_second)
    monkeypatch.setattr(RingSource, "close", note)
    with cable.inside("sensor"), pytest.raises(NettrusionError, match="tap0: cannot capture: Invalid argument"):
        open_rings(cable.interface, replace(SMALL, workers=2))
    assert len(closed) == 2
