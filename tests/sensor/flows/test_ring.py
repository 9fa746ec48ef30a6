"""The kernel's ring: the same flows as from a file, tags put back, blocks that lie, frames that the card made."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sensor.flows import PROFILES, SKIP_REASONS, FlowEngine, Framing
from tests.sensor.flows import drive, rings, streams
from tests.sensor.flows.reference import read_pcap
from tests.sensor.flows.rings import NATIVE, Shape
from tests.sensor.flows.test_framing import START, UDP

SOME = settings(
    max_examples=80,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SHAPES = st.builds(
    Shape,
    packets=st.integers(1, 60),
    private=st.sampled_from((0, 8, 13)),
    gap=st.sampled_from((0, 2, 18, 500)),
    size=st.sampled_from((0, 4096, 65536)),
)
WIRE = PROFILES["wire"]
MAGICS = [struct.pack(f"{order}I", magic) for order in "<>" for magic in (0xA1B2C3D4, 0xA1B23C4D)]
ENDS = bytes.fromhex("0a0000010a000002")
ENDS6 = bytes.fromhex("20010db8" + "00" * 11 + "01" + "20010db8" + "00" * 11 + "02")
TCP = struct.pack(">HHIIBBHHH", 1000, 80, 1, 1, 0x50, 0x18, 512, 0, 0)


@pytest.mark.parametrize("name", PROFILES)
@SOME
@given(stream=streams.streams(), shape=SHAPES)
def test_a_ring_gives_the_flows_and_counts_of_a_file(name: str, stream: list[streams.Sent], shape: Shape):
    made = streams.records(stream)
    profile = replace(PROFILES[name], snapshot_pkts=4)
    data, filed = streams.pcap(made), FlowEngine(profile, max_flows=1000)
    expected = drive.feed(filed, data, Framing.sniff(data[:4]))
    filed.finish()
    engine, framing, flows = rings.assemble(rings.blocks(made, shape), profile)
    assert np.array_equal(flows, np.concatenate([*expected, filed.take()]))
    assert engine.counters == filed.counters
    assert framing.records == len(made)
    assert not framing.corrupt


@SOME
@given(
    stream=streams.streams(),
    shape=SHAPES,
    harm=st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from((0, 1, 47, 48, 0x7F, 0x80, 0xFF)), st.sampled_from("BHI")),
        min_size=1,
        max_size=12,
    ),
)
def test_a_block_that_lies_ends_in_a_word(stream: list[streams.Sent], shape: Shape, harm: list[tuple[float, int, str]]):
    made = streams.records(stream)
    sound = rings.block(made, shape)
    harmed = bytearray(sound)
    for where, value, kind in harm:
        struct.pack_into(f"{NATIVE}{kind}", harmed, int(where * (len(harmed) - 4)), value)
    engine, framing = FlowEngine(WIRE, max_flows=50), Framing.ring(1, 1500)
    rings.feed(engine, [bytes(harmed)], framing)
    counted = engine.counters
    assert counted["in_flow"] + sum(counted[reason] for reason in SKIP_REASONS) == counted["packets"]
    assert counted["packets"] == framing.records
    before = framing.records
    assert engine.feed(sound, framing) == len(sound)
    assert framing.records == before + len(made)


def test_headers_are_all_that_is_needed(dev_captures: Path):
    """Real captures, from a ring that holds the first 256 bytes of a packet, give the flows of their files."""
    compared = cut = 0
    for path in sorted(dev_captures.rglob("*.pcap")):
        data = path.read_bytes()
        if path.stat().st_size > 1 << 20 or data[:4] not in MAGICS:
            continue
        link = int.from_bytes(data[20:24], "big" if data[0] == 0xA1 else "little")
        made = [(time_ns, wire, held[:256]) for time_ns, wire, held in read_pcap(data)]
        engine, _, flows = rings.assemble(rings.blocks(made, Shape(packets=100)), link=link, max_flows=262144)
        assert flows.tobytes() == drive.assemble(data, WIRE).tobytes(), path.name
        compared += 1
        cut += engine.counters["cut_packets"]
    assert compared > 150
    assert cut > 10_000


PACKET = len(rings.header(START, len(UDP), UDP, Shape(), last=False))
SECOND, THIRD = 48 + PACKET, 48 + 2 * PACKET


@pytest.mark.parametrize(
    ("at", "kind", "value", "packets"),
    [
        (12, "I", 4, 2),                     # more packets than there are: the third points to no fourth
        (16, "I", 0, 0),                     # the first packet inside the block's description
        (16, "I", 47, 0),
        (16, "I", 1 << 20, 0),               # the first packet beyond the block
        (16, "I", 0xFFFFFFFF, 0),
        (SECOND, "I", 0, 1),                 # the next packet at this one
        (SECOND, "I", 47, 1),
        (SECOND, "I", 100, 1),               # the next packet inside of this one
        (SECOND, "I", 2 * PACKET, 1),        # the next packet where the block ends
        (SECOND, "I", 0xFFFFFFF0, 1),
        (SECOND + 12, "I", 4096, 1),         # more bytes than the packet has room for
        (SECOND + 12, "I", 0xFFFFFFFF, 1),
        (THIRD + 12, "I", 4096, 2),
        (SECOND + 24, "H", 47, 1),           # the bytes inside the header
        (SECOND + 24, "H", 0xFFFF, 1),
    ],
)
def test_offsets_outside_of_a_block_are_refused(at: int, kind: str, value: int, packets: int):
    ring = bytearray(rings.block([(START, len(UDP), UDP)] * 3))
    struct.pack_into(f"{NATIVE}{kind}", ring, at, value)
    engine, framing = FlowEngine(WIRE), Framing.ring(1)
    engine.feed(bytes(ring), framing)
    assert framing.corrupt
    assert framing.records == engine.counters["packets"] == packets


@pytest.mark.parametrize("size", [1, 47])
def test_less_than_a_block_can_be_is_refused(size: int):
    engine, framing = FlowEngine(WIRE), Framing.ring(1)
    assert engine.feed(b"", framing) == 0
    assert not framing.corrupt
    assert engine.feed(bytes(size), framing) == 0
    assert framing.corrupt


def test_after_a_damaged_block_the_next_is_read():
    good, framing, engine = rings.block([(START, len(UDP), UDP)] * 3), Framing.ring(1), FlowEngine(WIRE)
    bad = bytearray(good)
    struct.pack_into(f"{NATIVE}I", bad, SECOND, 1)
    assert engine.feed(bytes(bad), framing) < len(bad)
    assert engine.feed(good, framing) == len(good)
    assert framing.records == 1 + 3


def test_a_ring_says_what_it_is():
    framing = Framing.ring(113, 1500)
    assert (framing.format, framing.link_types, framing.records, framing.oversized) == ("ring", [113], 0, 0)
    with pytest.raises(OverflowError):
        Framing.ring(-1)


def test_feed_stops_inside_a_block_when_many_flows_wait_and_goes_on():
    made = [(START + n * 1000, len(UDP), UDP[:26] + n.to_bytes(4, "big") + UDP[30:]) for n in range(20000)]
    ring, expected = rings.block(made), drive.assemble(streams.pcap(made), WIRE, max_flows=10)
    engine, framing, rest, taken = FlowEngine(WIRE, max_flows=10), Framing.ring(1), memoryview(ring), []
    while rest:
        rest = rest[engine.feed(rest, framing) :]
        assert engine.pending < 4096 + 64
        taken.append(engine.take())
    engine.finish()
    assert len(taken) > 4
    assert np.array_equal(np.concatenate([*taken, engine.take()]), expected)


def test_times_are_seconds_and_nanoseconds():
    late = (2**32 - 1) * 10**9 + 999_999_999
    _, _, flows = rings.assemble([rings.block([(late, len(UDP), UDP)])], replace(WIRE, whole_us=False))
    assert flows["start_ns"].tolist() == [late]


@pytest.mark.parametrize("tags", [(7,), (0x6007,), (0,), (7, 8), (7, 8, 9)])
def test_the_tag_that_the_kernel_took_is_the_outermost(tags: tuple[int, ...]):
    frame = streams.frame(streams.Sent(0, "udp", tags=tags, size=10))
    engine, _, flows = rings.assemble([rings.block([(START, len(frame), frame)])])
    kept = [tag & 0xFFF for tag in tags][:2]
    assert flows["vlan"][0].tolist() == [*kept, 0][:2]
    assert flows["vlans"][0] == len(kept)
    assert flows["fwd"]["bytes"][0] == len(frame) == engine.counters["bytes"]
    assert engine.counters["vlan"] == len(tags)
    assert engine.counters["cut_packets"] == 0


def test_a_tag_in_a_header_that_is_not_marked_is_none():
    ring = bytearray(rings.block([(START, len(UDP), UDP)]))
    struct.pack_into(f"{NATIVE}IH", ring, 48 + 32, 7, 0x8100)
    _, _, flows = rings.assemble([bytes(ring)])
    assert flows["vlans"].tolist() == [0]
    assert flows["fwd"]["bytes"].tolist() == [len(UDP)]


@pytest.mark.parametrize(("over", "mtu", "told"), [(0, 1500, 0), (1, 1500, 1), (60000, 0, 0), (60000, 65535, 0)])
def test_frames_longer_than_the_interface_can_send_are_counted(over: int, mtu: int, told: int):
    _, framing, _ = rings.assemble([rings.block([(START, 1522 + over, UDP)] * 2)], mtu=mtu)
    assert framing.oversized == told * 2


def ip4(total: int) -> bytes:
    """Return an IPv4 header for TCP that claims a length."""
    return struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0, 64, 6, 0) + ENDS


def ip6(rest: int, kind: int = 6) -> bytes:
    """Return an IPv6 header that claims a length for what follows."""
    return struct.pack(">IHBB", 6 << 28, rest, kind, 64) + ENDS6


JUMBO = struct.pack(">BBBBI", 6, 0, 0xC2, 4, 180_028)     # RFC 2675, in a hop-by-hop header


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize(
    ("kind", "ip", "payload"),
    [
        (0x0800, ip4(65535), 65535 - 40),
        (0x0800, ip4(0), 65535 - 40),
        (0x0800, ip4(0), 180_000),
        (0x86DD, ip6(65535), 65535 - 20),
        (0x86DD, ip6(0), 65535 - 20),
        (0x86DD, ip6(0), 180_000),
        (0x86DD, ip6(0, 0) + JUMBO, 180_000),
    ],
)
def test_what_an_offload_joined_counts_in_full(kind: int, ip: bytes, payload: int, tagged: bool):
    """A frame beyond 64 KiB cannot say its length and says 0; so may one that the card is still to cut."""
    tag = b"\x81\0\0\x07" if tagged else b""
    head = bytes(12) + tag + kind.to_bytes(2, "big") + ip + TCP
    made = [(START + n, len(head) + payload, head + bytes(100)) for n in range(2)]
    engine, framing, flows = rings.assemble([rings.block(made)], mtu=1500)
    there = flows["fwd"][0]
    assert (there["pkts"], there["payload"], there["data_pkts"]) == (2, 2 * payload, 2)
    assert there["bytes"] == 2 * (len(head) + payload) == engine.counters["bytes"]
    assert there["ip_bytes"] == 2 * (len(ip) + len(TCP) + payload)
    assert there["payload_sq"] == 2 * payload**2
    assert (there["payload_min"], there["payload_max"], there["header"]) == (payload, payload, 40)
    assert (framing.oversized, engine.counters["cut_packets"]) == (2, 2)
