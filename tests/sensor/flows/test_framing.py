"""Classic pcap and pcapng in every dialect: times, lengths, interfaces, and files that break off or lie."""

import struct

import pytest

from sensor.flows import PROFILES, FlowEngine, Framing
from tests.sensor.flows.captures import SECOND, Frame, block, enhanced, interface, pcap, run, section

UDP = bytes.fromhex("02000000000102000000000208004500001d00010000401100000a0000010a00000204d200350009000061")
START = 1_700_000_000 * SECOND + 123_456_000


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_classic_pcap_in_both_orders_and_resolutions(order, nano):
    _, flows = run(pcap([Frame(START, UDP), Frame(START + SECOND, UDP)], order=order, nano=nano))
    assert (flows["start_ns"][0], flows["end_ns"][0]) == (START, START + SECOND)
    assert flows["fwd"]["pkts"][0] == 2
    assert flows["fwd"]["payload"][0] == 2


def test_modified_pcap_has_a_longer_record_header():
    head = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 262144, 1)
    record = struct.pack("<IIIIIHBB", 1, 0, len(UDP), len(UDP), 0, 0, 0, 0) + UDP
    _, flows = run(head + record + record)
    assert flows["fwd"]["pkts"].tolist() == [2]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("tsresol", "ticks"),
    [
        (None, START // 1000),
        (6, START // 1000),
        (9, START),
        (3, START // 1_000_000),
        (10, START * 10),
        (0x80 | 10, (START << 10) // SECOND),
        (0x80 | 32, (START << 32) // SECOND),
    ],
)
def test_pcapng_clock_of_an_interface(order, tsresol, ticks):
    capture = section(order) + interface(order=order, tsresol=tsresol) + enhanced(ticks, UDP, order=order)
    _, flows = run(capture)
    resolution = {3: 1_000_000, 0x80 | 10: SECOND // 1024 + 1}.get(tsresol, 1000)
    assert 0 <= START - flows["start_ns"][0] <= resolution


def test_pcapng_clock_offset_moves_an_interface():
    capture = section() + interface(offset_s=3600) + enhanced(START // 1000, UDP)
    _, flows = run(capture)
    assert flows["start_ns"][0] == START + 3600 * SECOND


def test_pcapng_interfaces_keep_their_own_link_type_and_clock():
    raw = UDP[14:]
    capture = section() + interface(1) + interface(101, tsresol=9)
    capture += enhanced(START // 1000, UDP, number=0) + enhanced(START + SECOND, raw, number=1)
    engine, flows = run(capture)
    assert engine.counters["in_flow"] == 2
    assert flows["fwd"]["pkts"].tolist() == [2]
    assert flows["end_ns"][0] == START + SECOND


def test_a_new_section_forgets_interfaces_and_may_change_the_order():
    capture = section("<") + interface(1) + enhanced(START // 1000, UDP)
    capture += section(">") + interface(101, order=">") + enhanced(START // 1000, UDP[14:], order=">")
    _, flows = run(capture)
    assert flows["fwd"]["pkts"].tolist() == [2]


def test_simple_and_obsolete_packet_blocks_and_blocks_without_packets():
    simple = block(3, struct.pack("<I", len(UDP)) + UDP)
    obsolete = block(
        2, struct.pack("<HHIIII", 0, 0, 0, 5_000_000, len(UDP), len(UDP)) + UDP + bytes(-len(UDP) % 4) + bytes(4)
    )
    names = block(4, bytes(8))
    engine, flows = run(section() + interface(1) + names + obsolete + simple)
    assert engine.counters["packets"] == 2
    assert flows["fwd"]["pkts"].tolist() == [2]


@pytest.mark.parametrize("cut", [1, 10, 24, 30, 60])
def test_a_file_cut_short_gives_its_whole_packets(cut):
    whole = pcap([Frame(START, UDP)] * 3)
    engine, framing = FlowEngine(PROFILES["wire"]), Framing.sniff(whole[:4])
    taken = engine.feed(whole[:-cut], framing)
    assert taken == 24 + (16 + len(UDP)) * (2 if cut < 16 + len(UDP) else 1)
    assert not framing.corrupt


@pytest.mark.parametrize(
    "broken",
    [
        pcap([Frame(START, UDP)]) + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 60),
        section() + interface(1) + struct.pack("<II", 6, 3) + bytes(60),
        section() + enhanced(0, UDP),
        section() + interface(1) + block(6, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + bytes(60)),
        block(0x0A0D0D0A, bytes(16)),
    ],
    ids=["length", "block length", "no interface", "captured beyond block", "byte order"],
)
def test_a_broken_record_stops_the_file_and_says_so(broken):
    engine, framing = FlowEngine(PROFILES["wire"]), Framing.sniff(broken[:4])
    engine.feed(broken, framing)
    assert framing.corrupt
    assert engine.counters["packets"] == framing.records


@pytest.mark.parametrize("head", [b"", b"\xd4\xc3", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"\xa1\xb2\xc3\xd5"])
def test_what_is_no_capture_is_refused_with_a_sentence(head):
    with pytest.raises(ValueError, match=r"capture file|pcap or pcapng"):
        Framing.sniff(head)


def test_frame_check_sequence_is_no_part_of_the_packet():
    capture = bytearray(pcap([Frame(START, UDP + b"\0\0\0\0")]))
    struct.pack_into("<I", capture, 20, 1 | 0x04000000 | 2 << 28)
    _, flows = run(bytes(capture))
    assert flows["fwd"]["bytes"].tolist() == [len(UDP)]


def test_any_split_of_the_file_gives_the_same_flows():
    frames = [Frame(START + i * SECOND, UDP) for i in range(40)]
    whole = pcap(frames)
    _, expected = run(whole)
    for step in (1, 7, 61, 1000):
        engine, framing, held, at = FlowEngine(PROFILES["wire"]), Framing.sniff(whole[:4]), b"", 0
        while at < len(whole):
            held += whole[at : at + step]
            at += step
            held = held[engine.feed(held, framing) :]
        engine.finish()
        assert engine.take().tobytes() == expected.tobytes()
