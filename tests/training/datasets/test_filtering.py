"""Filters let through what libpcap's own machine lets through, packet by packet."""

import ctypes
import ctypes.util
import struct
from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.sources.bpf import Instruction
from tests.training import recorded
from training.datasets import filtering, frames

EXPRESSIONS = [
    "tcp",
    "udp port 53",
    "host 10.9.9.10 and not port 443",
    "src host 10.66.6.6 and tcp[tcpflags]&(tcp-syn|tcp-ack)==tcp-syn and (dst port 105 or dst port 106)",
    "tcp[((tcp[12]&0xf0)>>2):4]=0 or len > 400",
    "ip[2:2] * 3 / 2 - 7 > 300 and ip[8] % 10 = 4",
    "ip[6:2] & 0x1fff = 0 and (ip[0] ^ 0x45) = 0 and -ip[1] = 0",
    "greater 200",
    "vlan",
    "ip6 or arp",
]


class _Head(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("part", ctypes.c_long), ("kept", ctypes.c_uint), ("wire", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("steps", ctypes.c_void_p)]


def by_libpcap(expression, packets):
    """Return what libpcap says of each packet of an Ethernet capture."""
    library = ctypes.CDLL("libpcap.so.0.8")
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_compile.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(_Program),
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_uint,
    ]
    library.pcap_offline_filter.argtypes = [ctypes.POINTER(_Program), ctypes.POINTER(_Head), ctypes.c_char_p]
    program = _Program()
    handle = library.pcap_open_dead(1, 65535)
    assert library.pcap_compile(handle, ctypes.byref(program), expression.encode(), 1, 0xFFFFFFFF) == 0
    found = []
    for at, kept, wire in zip(packets.at.tolist(), packets.kept.tolist(), packets.wire.tolist(), strict=True):
        head = _Head(0, 0, kept, wire)
        found.append(
            library.pcap_offline_filter(ctypes.byref(program), ctypes.byref(head), packets.data[at : at + kept])
        )
    return np.array(found) != 0


@pytest.fixture
def libpcap():
    if ctypes.util.find_library("pcap") is None:
        pytest.skip("filters need libpcap (libpcap0.8)")


@pytest.fixture
def packets(tmp_path, libpcap):
    recorded.write(tmp_path, "day", recorded.day(1))
    return frames.read(tmp_path / "day.pcap.gz")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_made_packets(packets, expression):
    found = filtering.matching(expression, packets)
    assert (found == by_libpcap(expression, packets)).all()


def test_some_of_the_filters_take_some_of_the_packets(packets):
    shares = [filtering.matching(expression, packets).mean() for expression in EXPRESSIONS]
    assert sum(0 < share < 1 for share in shares) >= 6


@pytest.mark.parametrize("expression", ["tcp[tcpflags] & tcp-rst != 0", "vlan and ip", "ip6 and tcp", "udp"])
def test_odd_packets(odd_captures, libpcap, expression):
    compared = 0
    for path in sorted(odd_captures.rglob("*.pcap")):
        try:
            packets = frames.read(path)
        except NettrusionError:
            continue
        if len(packets) and set(packets.link_type.tolist()) == {1}:
            assert (filtering.matching(expression, packets) == by_libpcap(expression, packets)).all(), path.name
            compared += len(packets)
    assert compared > 1000


def test_what_is_no_filter_is_said_with_file_and_capture(packets):
    with pytest.raises(NettrusionError, match=r"labels\.tsv: attack_bpf of a\.pcap: `host and`"):
        filtering.checked("host and", packets, Path("labels.tsv"), "a.pcap")


def test_a_filter_that_jumps_back_is_refused(packets):
    with pytest.raises(NettrusionError, match="protochain"):
        filtering.matching("ip6 protochain 6", packets)


def made(*packets):
    data = b"".join(packets)
    ends = np.cumsum([len(packet) for packet in packets])
    sizes = np.array([len(packet) for packet in packets])
    at = ends - sizes
    zeros = np.zeros(len(packets), dtype=np.int64)
    return frames.Frames(data, at, ends, at, sizes, sizes, zeros, zeros + 1)


def run(*steps):
    """Run a program on three packets: two zero bytes, a number of four bytes, nothing."""
    packets = made(b"\0\0", struct.pack(">I", 0xFFFFFFFF), b"")
    return filtering.run([Instruction(*step) for step in steps], packets, np.arange(3)).tolist()


def test_a_load_beyond_the_end_drops_the_packet():
    assert run((0x28, 0, 0, 0), (0x06, 0, 0, 1)) == [True, True, False]
    assert run((0x20, 0, 0, 0), (0x06, 0, 0, 1)) == [False, True, False]
    # An index register that points beyond.
    assert run((0x01, 0, 0, 2), (0x48, 0, 0, 0), (0x06, 0, 0, 1)) == [False, True, False]


def test_a_division_by_zero_drops_the_packet():
    assert run((0x01, 0, 0, 0), (0x3C, 0, 0, 0), (0x06, 0, 0, 1)) == [False, False, False]


def test_numbers_wrap_at_32_bits_and_shifts_beyond_give_nothing():
    wrapped = [(0x00, 0, 0, 0xFFFFFFFF), (0x04, 0, 0, 2), (0x15, 0, 1, 1), (0x06, 0, 0, 1), (0x06, 0, 0, 0)]
    assert run(*wrapped) == [True] * 3
    assert run((0x00, 0, 0, 1), (0x64, 0, 0, 40), (0x16, 0, 0, 0)) == [False] * 3


def test_memory_index_and_length():
    kept = [(0x80, 0, 0, 0), (0x02, 0, 0, 3), (0x00, 0, 0, 0), (0x61, 0, 0, 3), (0x87, 0, 0, 0), (0x16, 0, 0, 0)]
    assert run(*kept) == [True, True, False]


def test_no_instruction_of_bpf_is_refused():
    with pytest.raises(ValueError, match="no instruction"):
        run((0xF4, 0, 0, 0))
    with pytest.raises(ValueError, match="no instruction"):
        run((0xF5, 0, 0, 0))
