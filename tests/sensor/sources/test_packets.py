"""Single packets become a pcapng stream that the engine and Wireshark read alike."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources.packets import PacketStream
from tests.packets import BASE_NS, connection, pcap

PACKETS = connection("10.0.0.1", "10.0.0.2", (1000, 80))


def stream(fcs_bytes: int = 0) -> bytes:
    packets = PacketStream()
    for packet in PACKETS:
        frame = packet.frame + bytes(fcs_bytes)
        packets.add(packet.time_ns, 1, frame, len(frame), fcs_bytes)
    return packets.take()


def flows(data: bytes):
    engine, framing = FlowEngine(PROFILES["wire"]), Framing.sniff(data[:4])
    assert engine.feed(data, framing) == len(data)
    engine.finish()
    return engine.take()


@pytest.mark.parametrize("fcs_bytes", [0, 4])
def test_the_flows_are_those_of_a_capture_of_the_same_packets(fcs_bytes: int):
    found = flows(stream(fcs_bytes))
    assert len(found) == 1
    assert (found == flows(pcap(PACKETS))).all()


def test_what_was_cut_keeps_its_length_on_the_wire():
    packets = PacketStream()
    for packet in PACKETS:
        packets.add(packet.time_ns, 1, packet.frame[:60], len(packet.frame))
    assert (flows(packets.take()) == flows(pcap(PACKETS))).all()


def test_each_link_type_is_described_once_when_it_comes():
    packets = PacketStream()
    first = packets.take()
    for link_type in (1, 101, 1, 101):
        packets.add(BASE_NS, link_type, PACKETS[0].frame[14 if link_type == 101 else 0 :], 54)
    data = first + packets.take()
    framing = Framing.sniff(data[:4])
    engine = FlowEngine(PROFILES["wire"])
    engine.feed(data, framing)
    assert framing.link_types == [1, 101]
    assert engine.live == 1
    assert packets.take() == b""


@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 70), 1 << 70), st.integers(0, 65535), st.binary(max_size=70), st.integers(0, 2**32 - 1)
        )
    )
)
def test_any_packet_can_be_written(several):
    packets = PacketStream()
    for time_ns, link_type, frame, wire_bytes in several:
        packets.add(time_ns, link_type, frame, wire_bytes)
    data = packets.take()
    framing = Framing.sniff(data[:4])
    assert FlowEngine(PROFILES["wire"]).feed(data, framing) == len(data)
    assert framing.records == len(several)
    assert not framing.corrupt


def test_wireshark_reads_it_the_same(tmp_path: Path):
    if shutil.which("tshark") is None:
        pytest.skip("needs the program tshark")
    path = tmp_path / "made.pcapng"
    path.write_bytes(stream(fcs_bytes=4))
    done = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0].replace(".", "") for row in rows] == [str(packet.time_ns) for packet in PACKETS]
    assert [int(row[1]) for row in rows] == [len(packet.frame) + 4 for packet in PACKETS]
