"""scapy and tshark on a wire: its packets, its silence, and its failures."""

import fcntl
import os
import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources import Source
from sensor.sources.scapy_source import ScapyInterface
from sensor.sources.tshark_source import TsharkInterface
from tests.live.cable import Cable
from tests.packets import BASE_NS, MS, Timed, connection, pcap
from tests.sensor.sources.reading import Reader

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
TAG = bytes.fromhex("81000007")
# What does not depend on when packets came.
TIMELESS = ("src", "dst", "src_port", "dst_port", "proto", "vlan", "vlans", "fwd_flags", "bwd_flags", "fwd_init_win")
COUNTS = ("pkts", "bytes", "ip_bytes", "payload", "payload_sq", "header", "flags")

Opening = Callable[..., Source]


@pytest.fixture(params=[ScapyInterface, TsharkInterface], ids=["scapy", "tshark"])
def opening(request: pytest.FixtureRequest, cable: Cable) -> Iterator[Opening]:
    """Return what opens the cable's near end; all is read and closed there."""
    if request.param is TsharkInterface and shutil.which("tshark") is None:
        pytest.skip("needs the program tshark")
    opened: list[Source] = []

    def opens(**options: Any) -> Source:
        opened.append(request.param(cable.interface, **options))
        return opened[-1]

    with cable.inside("sensor"):
        yield opens
    for source in opened:
        source.close()
    names = {path.read_text().strip() for path in Path("/proc").glob("[0-9]*/comm") if _is_ours(path.parent)}
    assert not names & {"tshark", "dumpcap"}


def _is_ours(process: Path) -> bool:
    """Return whether a process captures on a cable."""
    try:
        return b"tap0" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def traffic(vlan: bool = False) -> list[Timed]:
    packets = [
        packet
        for number in range(30)
        for packet in connection("10.0.0.1", "10.0.0.2", (2000 + number, 80), BASE_NS + number * 200 * MS)
    ]
    if not vlan:
        return packets
    return [Timed(one.time_ns, one.frame[:12] + TAG + one.frame[12:]) for one in packets]


def offline(packets: list[Timed]) -> Any:
    data = pcap(packets)
    engine = FlowEngine(PROFILES["wire"])
    engine.feed(data, Framing.sniff(data[:4]))
    engine.finish()
    return engine.take()


def same(found: Any, expected: Any) -> None:
    assert len(found) == len(expected)
    found, expected = (flows[flows["src_port"].argsort()] for flows in (found, expected))
    for name in TIMELESS:
        assert (found[name] == expected[name]).all(), name
    for way in ("fwd", "bwd"):
        for name in COUNTS:
            assert (found[way][name] == expected[way][name]).all(), (way, name)


@pytest.mark.parametrize("vlan", [False, True], ids=["plain", "vlan"])
@pytest.mark.parametrize("snap_bytes", [0, 96], ids=["whole", "cut"])
def test_the_flows_are_those_of_the_packets(opening: Opening, cable: Cable, vlan: bool, snap_bytes: int):
    packets = traffic(vlan)
    source = opening(snap_bytes=snap_bytes)
    assert (source.live, source.in_iface, source.framing) == (True, cable.interface, "capture")
    reader = Reader(source)
    cable.send(packet.frame for packet in packets)
    before_ns = time.time_ns()
    reader.until(lambda: reader.packets >= len(packets))
    assert before_ns - 60 * 10**9 < reader.engine.now_ns < time.time_ns()
    assert source.counters.get("kernel_drops", 0) == 0
    same(reader.flows(), offline(packets))
    assert reader.notices == []


def test_silence_is_an_empty_window_in_time_and_time_goes_on(opening: Opening, cable: Cable):
    source = opening()
    reader = Reader(source)
    cable.send([traffic()[0].frame])
    reader.until(lambda: reader.packets == 1)
    reader.until_silent()
    begin = time.monotonic()
    assert source.more()
    assert time.monotonic() - begin < 2
    assert len(source.window) == 0
    assert source.horizon_ns is not None
    assert 0 < time.time_ns() - source.horizon_ns < 20 * 10**9
    first = source.horizon_ns
    source.more()
    assert source.horizon_ns > first


def test_a_filter_keeps_what_it_names(opening: Opening, cable: Cable):
    packets = traffic()
    reader = Reader(opening(capture_filter="tcp port 2003"))
    cable.send(packet.frame for packet in packets)
    reader.until(lambda: reader.packets >= len(packets) // 30)
    reader.until_silent()
    assert set(reader.flows()["src_port"]) == {2003}


def test_an_interface_that_goes_down_and_comes_back_is_survived_and_said(opening: Opening, cable: Cable):
    packets = traffic()
    reader = Reader(opening())
    cable.send(packet.frame for packet in packets)
    reader.until(lambda: reader.packets >= len(packets))
    cable.run("sensor", "ip", "link", "set", cable.interface, "down")
    reader.until(lambda: len(reader.notices) == 1)
    cable.run("sensor", "ip", "link", "set", cable.interface, "up")
    reader.until(lambda: len(reader.notices) == 2)
    cable.send(packet.frame for packet in packets)
    reader.until(lambda: reader.packets >= 2 * len(packets))
    assert "again" in reader.notices[1]


def test_an_interface_that_goes_and_comes_back_is_survived_and_said(opening: Opening, cable: Cable):
    packets = traffic()
    reader = Reader(opening())
    cable.send(packet.frame for packet in packets)
    reader.until(lambda: reader.packets >= len(packets))
    cable.unplug()
    reader.until(lambda: len(reader.notices) == 1)
    cable.plug()
    reader.until(lambda: len(reader.notices) == 2)
    cable.send(packet.frame for packet in packets)
    reader.until(lambda: reader.packets >= 2 * len(packets))
    assert "again" in reader.notices[1]


@pytest.fixture
def tunnel(cable: Cable) -> Iterator[int]:
    """Return the descriptor of a tun device tap7 at the near end: what is written to it arrives there."""
    try:
        with cable.inside("sensor"):
            device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"tap7", IFF_TUN | IFF_NO_PI))
    except OSError as error:
        pytest.skip(f"no tun device can be made here: {error.strerror}")
    cable.run("sensor", "ip", "link", "set", "tap7", "up")
    yield device
    os.close(device)


@pytest.mark.parametrize("kind", [ScapyInterface, TsharkInterface])
def test_bare_ip_is_known_for_what_it_is(kind: Callable[[str], Source], cable: Cable, tunnel: int):
    if kind is TsharkInterface and shutil.which("tshark") is None:
        pytest.skip("needs the program tshark")
    packets = connection("10.0.0.1", "10.0.0.2", (1000, 80))
    with cable.inside("sensor"):
        reader = Reader(kind("tap7"))
        for packet in packets:
            os.write(tunnel, packet.frame[14:])
        reader.until(lambda: reader.packets >= len(packets))
        flows = reader.flows()
    assert [int(flows[way]["pkts"][0]) for way in ("fwd", "bwd")] == [7, 5]


@pytest.mark.parametrize("kind", [ScapyInterface, TsharkInterface])
def test_a_packet_of_the_loopback_counts_once(kind: Callable[[str], Source], cable: Cable):
    if kind is TsharkInterface and shutil.which("tshark") is None:
        pytest.skip("needs the program tshark")
    with cable.inside("sensor"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        reader = Reader(kind("lo"))
        out.bind(("127.0.0.1", 0))
        for _ in range(5):
            out.sendto(b"hello", out.getsockname())
        reader.until(lambda: reader.packets >= 5)
        reader.until_silent()
        assert reader.packets == 5
        reader.flows()
