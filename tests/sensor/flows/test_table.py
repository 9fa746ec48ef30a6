"""When flows end and in what order: closing, timeouts, the cap, silence, and names that stay."""

from dataclasses import replace

import numpy as np
import pytest

from sensor.flows import PROFILES, FlowEngine, Framing, Reason, State
from tests.sensor.flows.captures import SECOND, Frame, pcap, run

WIRE = PROFILES["wire"]
SYN, ACK, FIN, RST = 2, 16, 1, 4


def ip(last: int, proto: int, body: bytes, back: bool = False) -> bytes:
    """Return an IPv4 packet between host `last` and 10.0.0.1."""
    ends = [bytes([10, 1, last >> 8, last & 255]), bytes([10, 0, 0, 1])]
    src, dst = reversed(ends) if back else ends
    return (
        b"\x45\0" + (20 + len(body)).to_bytes(2, "big") + b"\0\0\0\0\x40" + bytes([proto]) + b"\0\0" + src + dst + body
    )


def tcp(flags: int, *, back: bool = False, host: int = 2, data: bytes = b"", port: int = 1000) -> bytes:
    """Return a TCP packet from or to `host`."""
    ports = [port.to_bytes(2, "big"), b"\0\x50"]
    a, b = reversed(ports) if back else ports
    return ip(host, 6, a + b + bytes(8) + bytes([0x50, flags]) + b"\x10\0\0\0\0\0" + data, back)


def udp(host: int = 2, *, back: bool = False) -> bytes:
    """Return a UDP packet from or to `host`."""
    a, b = (b"\0\x35", b"\x10\0") if back else (b"\x10\0", b"\0\x35")
    return ip(host, 17, a + b + b"\0\x09\0\0x", back)


def stream(*packets: tuple[float, bytes]) -> bytes:
    """Return a raw-IP capture of (second, packet) pairs."""
    return pcap([Frame(int(t * SECOND) + 1_700_000_000 * SECOND, p) for t, p in packets], 101)


def test_a_closed_connection_lingers_for_stragglers_and_then_leaves():
    closing = [(0, tcp(SYN)), (0.1, tcp(SYN | ACK, back=True)), (0.2, tcp(ACK)), (1, tcp(FIN | ACK)),
               (1.1, tcp(FIN | ACK, back=True)), (1.2, tcp(ACK)), (3, tcp(ACK, back=True))]  # fmt: skip
    engine, flows = run(stream(*closing, (9, udp(3))))
    assert [(f["reason"], f["state"]) for f in flows] == [(Reason.FIN, State.CLOSED), (Reason.SHUTDOWN, State.NEW)]
    assert flows[0]["bwd"]["pkts"] == 3
    assert engine.live == 0


def test_a_reset_closes_and_a_new_syn_on_the_same_ports_is_a_new_flow():
    _, flows = run(stream((0, tcp(SYN)), (0.1, tcp(RST | ACK, back=True)), (0.5, tcp(SYN)), (0.6, tcp(RST, back=True))))
    assert flows["reason"].tolist() == [Reason.REUSE, Reason.RST]
    assert len(set(flows["flow_id"].tolist())) == 2


@pytest.mark.parametrize(
    ("packets", "field", "timeout"),
    [
        ([tcp(SYN)], "tcp_new_ns", 60),
        ([tcp(SYN), tcp(ACK, back=True)], "tcp_ns", 100),
        ([udp()], "udp_new_ns", 60),
        ([udp(), udp(back=True)], "udp_ns", 100),
        ([ip(2, 1, b"\x08\0\0\0\0\0\0\0")], "icmp_ns", 30),
        ([ip(2, 99, b"")], "other_ns", 60),
    ],
)
def test_idle_timeouts_by_protocol_and_state(packets, field, timeout):
    profile = replace(WIRE, **{field: timeout * SECOND})
    opening = [(0, p) for p in packets]
    _, together = run(stream(*opening, (timeout, packets[0])), profile)
    _, apart = run(stream(*opening, (timeout + 0.001, packets[0])), profile)
    assert len(together) == 1
    assert apart["reason"].tolist() == [Reason.IDLE, Reason.SHUTDOWN]


def test_silence_is_told_by_a_tick():
    capture = stream((0, udp()))
    engine, framing = FlowEngine(WIRE), Framing.sniff(capture[:4])
    engine.feed(capture, framing)
    engine.tick(engine.now_ns + 59 * SECOND)
    assert len(engine.take()) == 0
    engine.tick(engine.now_ns + 2 * SECOND)
    assert engine.take()["reason"].tolist() == [Reason.IDLE]
    assert engine.live == 0


def test_the_active_timeout_cuts_and_roles_are_kept():
    talk = [(i * 10, tcp(ACK, back=i > 0)) for i in range(30)]
    _, flows = run(stream(*talk))
    assert flows["reason"].tolist() == [Reason.ACTIVE, Reason.ACTIVE, Reason.SHUTDOWN]
    assert len(set(map(bytes, flows["src"]))) == 1
    assert flows["roles_kept"].tolist() == [0, 1, 1]
    assert flows["conn_ns"].tolist() == [120 * SECOND, 250 * SECOND, 290 * SECOND]
    assert flows["fwd"]["pkts"].sum() + flows["bwd"]["pkts"].sum() == 30


def test_at_the_cap_the_flow_idle_longest_leaves_first_and_is_counted():
    packets = [(i, udp(i)) for i in range(1, 9)] + [
        (10, udp(1)),
        (11, udp(3)),
        (12, udp(20)),
        (13, udp(21)),
        (14, udp(22)),
    ]
    engine, flows = run(stream(*packets), max_flows=8)
    evicted = flows[flows["reason"] == Reason.EVICTED]
    assert evicted["src"][:, 3].tolist() == [2, 4, 5]
    assert engine.counters["evicted"] == 3
    assert engine.counters["flows"] == len(flows) == 11


def test_a_flood_never_grows_the_table_and_loses_no_packet():
    packets = [(i * 0.0001, udp(i % 60000)) for i in range(50000)]
    engine, flows = run(stream(*packets), max_flows=100)
    assert flows["fwd"]["pkts"].sum() == 50000
    assert engine.counters["evicted"] == 50000 - 100
    assert np.all(np.diff(flows["start_ns"]) >= 0)


def test_syn_and_ack_first_means_the_other_side_began():
    _, flows = run(stream((0, tcp(SYN | ACK, back=True)), (1, tcp(ACK))))
    assert bytes(flows["src"][0][:4]) == bytes([10, 1, 0, 2])
    assert (flows["src_port"][0], flows["first_backward"][0], flows["swapped"][0]) == (1000, 1, 1)
    assert (flows["fwd"]["pkts"][0], flows["bwd"]["pkts"][0]) == (1, 1)


def test_names_of_flows_are_small_and_the_same_in_every_run():
    packets = [(i * 0.01, udp(i)) for i in range(1000)]
    first, second = (run(stream(*packets))[1] for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert len(set(first["flow_id"].tolist())) == 1000
    assert first["flow_id"].max() < 2**51


def test_a_jump_of_the_clock_ends_flows_once_and_a_fall_does_not_stop_time():
    year = 365 * 86400
    _, flows = run(stream((0, udp(1)), (year, udp(2)), (5, udp(3)), (200, udp(4))))
    assert sorted(flows["fwd"]["pkts"].tolist()) == [1, 1, 1, 1]
    assert flows["reason"].tolist().count(Reason.IDLE) == 2


def test_feed_stops_when_many_flows_wait():
    capture = stream(*[(i * 0.0001, udp(i)) for i in range(20000)])
    engine, framing, at, largest = FlowEngine(WIRE, max_flows=10), Framing.sniff(capture[:4]), 0, 0
    while taken := engine.feed(capture[at:], framing):
        at += taken
        largest = max(largest, engine.pending)
        engine.take()
    assert at == len(capture)
    assert 4096 <= largest < 4096 + 64


@pytest.mark.parametrize("max_flows", [0, -1, 2**26 + 1])
def test_a_table_of_nonsense_size_is_refused(max_flows):
    with pytest.raises(ValueError, match="max_flows"):
        FlowEngine(WIRE, max_flows=max_flows)


def test_a_full_table_drains_piece_by_piece_into_the_same_flows():
    capture = stream(*[(i * 0.001, udp(i)) for i in range(10000)])
    _, at_once = run(capture, max_flows=20000)
    engine, framing, at = FlowEngine(WIRE, max_flows=20000), Framing.sniff(capture[:4]), 0
    while taken := engine.feed(capture[at:], framing):
        at += taken
    pieces = []
    while engine.drain():
        pieces.append(engine.take())
    pieces.append(engine.take())
    assert [len(piece) for piece in pieces] == [4096, 4096, 1808]
    assert np.concatenate(pieces).tobytes() == at_once.tobytes()
    assert engine.live == 0


def test_an_engine_that_is_fed_between_two_drains_ends_the_new_flows_too():
    first, second = stream(*[(i * 0.001, udp(i)) for i in range(5000)]), stream((5, udp(6000)), (6, udp(1)))
    engine, framing = FlowEngine(WIRE, max_flows=20000), Framing.sniff(first[:4])
    engine.feed(first, framing)
    assert engine.drain()
    assert len(engine.take()) == 4096
    engine.feed(second, Framing.sniff(second[:4]))
    while engine.drain():
        pass
    assert len(engine.take()) == 5000 - 4096 + 2
    assert engine.live == 0
