"""Walking over records: what is whole, when it was, in every form that captures have."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources.records import Records, is_capture
from tests.packets import BASE_NS, connection, pcap

PACKETS = connection("10.0.0.1", "10.0.0.2", (1000, 80))


def block(order: str, kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack(f"{order}II", kind, length) + body + struct.pack(f"{order}I", length)


def pcapng(order: str = "<", options: bytes = b"", ticks_s: int = 10**6) -> bytes:
    """Return a pcapng file of one interface with our packets."""
    section = block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))
    found = section + block(order, 1, struct.pack(f"{order}HHI", 1, 0, 0) + options)
    for packet in PACKETS:
        ticks = packet.time_ns * ticks_s // 10**9
        size = len(packet.frame)
        head = struct.pack(f"{order}IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
        found += block(order, 6, head + packet.frame + bytes(-size % 4))
    return found


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def classic(order: str, magic: int, tick_ns: int, more: bytes = b"") -> bytes:
    found = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for packet in PACKETS:
        time = divmod(packet.time_ns, 10**9)
        size = len(packet.frame)
        found += struct.pack(f"{order}IIII", time[0], time[1] // tick_ns, size, size) + more + packet.frame
    return found


FORMS = {
    f"{name}-{'big' if order == '>' else 'little'}": data
    for order in "<>"
    for name, data in {
        "micro": classic(order, 0xA1B2C3D4, 1000),
        "nano": classic(order, 0xA1B23C4D, 1),
        "modified": classic(order, 0xA1B2CD34, 1000, bytes(8)),
        "pcapng": pcapng(order),
        "pcapng-nano": pcapng(order, option(order, 9, b"\x09"), 10**9),
        "pcapng-binary": pcapng(order, option(order, 9, b"\x94"), 2**20),
    }.items()
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_walked_to_their_end(form: str):
    data = FORMS[form]
    records = Records()
    assert is_capture(data[:4])
    assert records.whole(data) == len(data)
    assert not records.damaged
    assert records.first_ns is not None
    assert records.last_ns is not None
    assert abs(records.first_ns - BASE_NS) < 2000
    assert abs(records.last_ns - PACKETS[-1].time_ns) < 2000


@pytest.mark.parametrize("form", FORMS)
def test_the_engine_takes_what_is_whole_and_no_byte_less(form: str):
    data = FORMS[form]
    for size in range(0, len(data), 7):
        framing = Framing.sniff(data[:4])
        assert Records().whole(data[:size]) == FlowEngine(PROFILES["wire"]).feed(data[:size], framing), size


@given(st.sampled_from(sorted(FORMS)), st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_pieces_of_any_size_make_the_same_whole(form: str, sizes: list[int]):
    data = FORMS[form]
    records, at, end = Records(), 0, 0
    for size in [*sizes, len(data)]:
        end = min(end + size, len(data))
        at += records.whole(data[at:end])
    assert at == len(data)
    assert records.last_ns is not None
    assert abs(records.last_ns - PACKETS[-1].time_ns) < 2000


def test_an_offset_of_the_clock_counts():
    data = pcapng("<", option("<", 14, struct.pack("<q", 86_400)))
    records = Records()
    records.whole(data)
    assert records.first_ns == BASE_NS + 86_400 * 10**9


def test_a_second_section_has_interfaces_of_its_own():
    records = Records()
    data = pcapng("<", option("<", 9, b"\x09"), 10**9) + pcapng(">")
    assert records.whole(data) == len(data)
    assert records.last_ns == PACKETS[-1].time_ns


@pytest.mark.parametrize(
    "data",
    [
        b"no capture at all, this is.",
        pcap(PACKETS)[:24] + b"\xff" * 100,
        pcapng()[:28] + struct.pack("<II", 6, 13) + bytes(40),
        pcapng()[:28] + struct.pack("<II", 6, 1 << 30) + bytes(40),
        pcapng()[:8] + bytes(60),
    ],
    ids=["words", "length", "odd", "huge", "order"],
)
def test_damage_is_seen_and_ends_the_walk(data: bytes):
    records = Records()
    taken = records.whole(data)
    assert records.damaged
    assert records.whole(data[taken:] + pcap(PACKETS)) == 0


@given(st.binary(max_size=200), st.sampled_from([b"", pcap(PACKETS)[:24], pcapng()[:80]]))
def test_nothing_that_is_read_breaks_it(data: bytes, begin: bytes):
    records = Records()
    taken = records.whole(begin + data)
    assert 0 <= taken <= len(begin + data)


@pytest.mark.parametrize("options", [(14, "<q", 2**62), (14, "<q", -(2**63)), (9, "<B", 0), (9, "<B", 0x80)])
def test_no_time_is_too_large_for_the_engine(options: tuple[int, str, int]):
    code, form, value = options
    records = Records()
    records.whole(pcapng(options=option("<", code, struct.pack(form, value))))
    assert records.last_ns is not None
    engine = FlowEngine(PROFILES["wire"])
    engine.tick(records.last_ns)
    engine.tick(records.last_ns + 24 * 3600 * 10**9)
