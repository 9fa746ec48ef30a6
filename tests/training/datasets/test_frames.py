"""The walk over a capture finds the packets that the engine finds, and stops where records stop being whole."""

import struct

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.flows import PROFILES, FlowEngine, Framing
from tests.training import recorded
from training.datasets import frames

FRAMES = [b"\x01" * 60, b"\x02" * 70]


def pcap(order="<", magic=0xA1B2C3D4, parts=(1, 2), link=1):
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    return head + b"".join(
        struct.pack(f"{order}IIII", 100 + number, part, len(frame), len(frame) + 5) + frame
        for number, (part, frame) in enumerate(zip(parts, FRAMES, strict=True))
    )


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def pcapng(order="<"):
    """Two interfaces: Ethernet in microseconds, raw IP in nanoseconds; a packet each, and a simple one."""
    nanoseconds = struct.pack(f"{order}HHBxxxHH", 9, 1, 9, 0, 0)
    enhanced = [struct.pack(f"{order}5I", 0, 0, 7_000_001, 60, 65) + FRAMES[0]]
    enhanced += [struct.pack(f"{order}5I", 1, 2, 5, 70, 75) + FRAMES[1]]
    return b"".join(
        [
            block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)),
            block(order, 1, struct.pack(f"{order}HHI", 1, 0, 50)),
            block(order, 1, struct.pack(f"{order}HHI", 101, 0, 0) + nanoseconds),
            *(block(order, 6, body) for body in enhanced),
            block(order, 3, struct.pack(f"{order}I", 60) + FRAMES[0][:50]),
        ]
    )


def read(tmp_path, data):
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    return frames.read(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "tick"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_classic_captures_of_either_order_and_clock(tmp_path, order, magic, tick):
    found = read(tmp_path, pcap(order, magic))
    assert found.time_ns.tolist() == [100_000_000_000 + tick, 101_000_000_000 + 2 * tick]
    assert (found.kept.tolist(), found.wire.tolist(), found.link_type.tolist()) == ([60, 70], [65, 75], [1, 1])
    assert [found.data[at : at + kept] for at, kept in zip(found.at, found.kept, strict=True)] == FRAMES
    assert found.begin.tolist() == [24, found.end[0]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_has_a_clock_and_a_link_type_for_each_interface(tmp_path, order):
    found = read(tmp_path, pcapng(order))
    assert found.time_ns.tolist() == [7_000_001_000, 2 * 2**32 + 5, 2 * 2**32 + 5]
    assert found.link_type.tolist() == [1, 101, 1]
    assert found.kept.tolist() == [60, 70, 50]
    assert found.data[found.at[1] : found.at[1] + 70] == FRAMES[1]


def test_what_is_cut_short_has_its_whole_packets(tmp_path):
    assert len(read(tmp_path, pcap()[:-1])) == 1
    assert len(read(tmp_path, pcap()[:30])) == 0
    assert len(read(tmp_path, pcapng()[:-1])) == 2


def test_what_is_no_capture_is_refused_by_name(tmp_path):
    with pytest.raises(NettrusionError, match=r"a\.pcap"):
        read(tmp_path, b"nothing of the kind, and long enough")


def test_the_packets_are_those_that_the_engine_counts(tmp_path):
    recorded.write(tmp_path, "day", recorded.day(1))
    found = frames.read(tmp_path / "day.pcap.gz")
    engine = FlowEngine(PROFILES["wire"])
    engine.feed(found.data, Framing.sniff(found.data[:4]))
    assert len(found) == engine.counters["packets"] > 1000
    assert found.end[-1] == len(found.data)
    assert (np.diff(found.time_ns) >= 0).all()
