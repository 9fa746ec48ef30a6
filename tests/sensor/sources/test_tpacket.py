"""A ring by itself: what is let in, how much of it is kept, what is lost and counted, and where memory is short."""

import errno
import socket
import threading
from dataclasses import replace
from typing import Any

import pytest

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources import tpacket
from sensor.sources.fanout import SOL_PACKET
from sensor.sources.ring import RingSource
from tests.live.blocks import read_all, read_until
from tests.live.cable import Cable
from tests.packets import tcp, udp

SMALL = CaptureConfig(ring_mb=1, block_kb=64, block_ms=10)
A, B = "10.0.0.1", "10.0.0.2"


def opened(cable: Cable, interface: str = "", **options: Any) -> RingSource:
    """Open the near end, or another interface there."""
    with cable.inside("sensor"):
        return RingSource(interface or cable.interface, replace(SMALL, **options))


def test_frames_are_cut_and_their_length_is_told(cable: Cable):
    frames = [tcp(A, B, (1, 2), 2, b"x" * size) for size in (0, 42, 43, 1000)]
    source = opened(cable, snap_bytes=96)
    cable.send(frames)
    caught = read_all(source)
    source.close()
    assert [(one.wire, one.data) for one in caught] == [(len(frame), frame[:96]) for frame in frames]


def test_a_filter_lets_in_what_it_names_and_is_cut_too(cable: Cable):
    source = opened(cable, filter="udp port 53", snap_bytes=96)
    wanted = udp(A, B, (1000, 53), b"q" * 100)
    cable.send([wanted, udp(A, B, (1000, 54)), tcp(A, B, (1000, 53), 2)])
    caught = read_all(source)
    counted = source.counters
    source.close()
    assert [one.data for one in caught] == [wanted[:96]]
    assert counted["kernel_packets"] == 1


@pytest.mark.parametrize(("expression", "found"), [("vlan 5", 1), ("vlan and udp", 1), ("vlan 6", 0), ("udp", 1)])
def test_a_filter_sees_the_tag_that_the_kernel_took_off(cable: Cable, expression, found):
    plain = udp(A, B, (1000, 53))
    tagged = plain[:12] + b"\x81\0\0\5" + plain[12:]
    source = opened(cable, filter=expression)
    # `udp` alone means frames without a tag, as for tcpdump on an interface whose driver leaves tags in.
    cable.send([tagged] if "vlan" in expression else [plain])
    caught = read_all(source)
    source.close()
    assert [(one.data, one.tag) for one in caught] == [(plain, 5 if "vlan" in expression else None)][:found]


def test_nothing_that_the_filter_refuses_is_ever_in_the_ring(cable: Cable):
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            cable.send([tcp(A, B, (1, 2), 2)] * 50 + [udp(A, B, (1, 2))])

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        for _ in range(5):
            source = opened(cable, filter="udp")
            caught = read_until(source, bool)
            source.close()
            assert {one.data[23] for one in caught} == {17}
    finally:
        stop.set()
        sender.join()


def test_stamps_are_those_of_every_other_listener(cable: Cable):
    first, second = opened(cable), opened(cable)
    cable.send([tcp(A, B, (number, 80), 2) for number in range(20)])
    stamps = [[one.time_ns for one in read_all(source)] for source in (first, second)]
    first.close()
    second.close()
    assert stamps[0] == stamps[1]
    assert len(set(stamps[0])) > 1


def test_what_finds_no_place_is_counted(cable: Cable):
    source = opened(cable)
    sent = cable.send([tcp(A, B, (1, 2), 2, b"x" * 300)] * 8000)
    caught = read_all(source)
    counters = source.counters
    assert 0 < len(caught) < sent
    assert counters["kernel_packets"] == sent
    assert counters["kernel_drops"] == sent - len(caught)
    assert counters["freezes"] >= 1
    cable.send([tcp(A, B, (1, 2), 2)] * 10)
    assert len(read_all(source)) == 10, "the ring is used again"
    assert source.counters["kernel_drops"] == counters["kernel_drops"]
    assert source.counters["kernel_packets"] == sent + 10
    source.close()


def test_the_ring_goes_round_many_times(cable: Cable):
    source = opened(cable)
    frames = [tcp(A, B, (number, 80), 2, b"x" * 500) for number in range(1500)]
    seen: list[bytes] = []
    for _ in range(6):
        cable.send(frames)
        seen += [one.data for one in read_all(source, silences=1)]
    source.close()
    assert seen == [frame[:256] for frame in frames] * 6


def test_on_a_loopback_each_packet_is_seen_once(cable: Cable):
    source = opened(cable, "lo")
    with cable.inside("sensor"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"once", ("127.0.0.1", 9))
    caught = [one for one in read_all(source) if one.data[23] == socket.IPPROTO_UDP]
    source.close()
    assert [one.data[-4:] for one in caught] == [b"once"]


def test_a_tunnel_hands_over_bare_packets(cable: Cable):
    cable.run("sensor", "ip", "tuntap", "add", "bare0", "mode", "tun")
    cable.run("sensor", "ip", "address", "add", "10.9.0.1/24", "dev", "bare0")
    cable.run("sensor", "ip", "link", "set", "bare0", "up")
    with cable.inside("sensor"), open("/dev/net/tun", "r+b", buffering=0) as tunnel:
        import fcntl

        fcntl.ioctl(tunnel, 0x400454CA, b"bare0".ljust(16, b"\0") + b"\x01\x10" + bytes(22))
        source = opened(cable, "bare0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(b"bare", ("10.9.0.2", 9))
        caught = read_until(source, lambda seen: any(one.data.endswith(b"bare") for one in seen))
    assert source.link_type == 101
    source.close()
    assert {one.data[0] for one in caught} == {0x45}


class Stingy(socket.socket):
    """A socket of a machine that has memory for so many blocks only."""

    room = 3

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        if (level, option) == (SOL_PACKET, tpacket.RX_RING) and int.from_bytes(value[0][4:8], "little") > self.room:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        super().setsockopt(level, option, *value)


@pytest.fixture
def stingy(monkeypatch) -> type[Stingy]:
    monkeypatch.setattr(tpacket, "open_socket", lambda name: Stingy(socket.AF_PACKET, socket.SOCK_RAW, 0))
    return Stingy


def test_where_memory_is_short_the_ring_is_halved_and_it_is_said(cable: Cable, stingy):
    source = opened(cable)
    assert source.notices() == [
        "tap0: the kernel had memory for 2 of 16 blocks of the ring only (0.125 MiB); bursts may be lost"
    ]
    cable.send([tcp(A, B, (1, 2), 2)])
    assert len(read_all(source)) == 1
    source.close()


def test_without_memory_for_two_blocks_there_is_no_ring(cable: Cable, stingy, monkeypatch):
    monkeypatch.setattr(stingy, "room", 1)
    with pytest.raises(NettrusionError, match=r"tap0: .* no memory for a ring.*capture.ring_mb"):
        opened(cable)


def test_without_the_right_it_says_which_and_how_to_get_it(monkeypatch):
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(NettrusionError, match=r"eth9: .*CAP_NET_RAW.*systemctl start nettrusion@eth9.*setcap"):
        tpacket.open_socket("eth9")
