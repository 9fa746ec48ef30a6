"""What a record tells of its hosts, worked out by hand; and what that knowledge costs."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sensor.flows import COUNTERS, FLOW_DTYPE, PROFILES, FlowEngine, Framing, Reason
from sensor.flows.rows import pick
from tests.sensor.flows.captures import SECOND, Frame, pcap, run
from tests.sensor.flows.test_table import ACK, RST, SYN, WIRE, ip, stream, tcp, udp

SYN_ACK, PSH_ACK, RST_ACK = SYN | ACK, 8 | ACK, RST | ACK
LIVE = replace(WIRE, snapshot_pkts=50, snapshot_closed=True)
CONTEXT = FLOW_DTYPE["context"]


def context(flows: NDArray[np.void], name: str) -> NDArray[np.float32]:
    """Return one field of every record's context."""
    return np.asarray(flows["context"][name])


def ended(flows: NDArray[np.void]) -> NDArray[np.void]:
    """Return the records of flows that ended, in the order of their beginnings."""
    over = flows[flows["reason"] != Reason.SNAPSHOT]
    order: NDArray[np.intp] = np.argsort(over["start_ns"], kind="stable")
    return pick(over, order)


def to_port(number: int, flags: int, *, back: bool = False, host: int = 2) -> bytes:
    """Return a TCP packet from `host` to a port of 10.0.0.1, or its answer."""
    ports = [b"\xc3\x50", number.to_bytes(2, "big")]
    a, b = reversed(ports) if back else ports
    return ip(host, 6, a + b + bytes(8) + bytes([0x50, flags]) + b"\x10\0\0\0\0\0", back)


def visit(at: float, *, host: int = 2, port: int = 1000, fwd: int = 10, bwd: int = 100, took: float = 0.5):
    """Return a whole connection as (second, packet) pairs, ended by a reset."""
    return [
        (at, tcp(SYN, host=host, port=port)),
        (at, tcp(SYN_ACK, back=True, host=host, port=port)),
        (at, tcp(PSH_ACK, host=host, port=port, data=bytes(fwd))),
        (at, tcp(PSH_ACK, back=True, host=host, port=port, data=bytes(bwd))),
        (at + took, tcp(RST_ACK, host=host, port=port)),
    ]


def test_a_scan_of_300_ports():
    """One host asks 300 ports of another in three seconds and is refused."""
    asked = [(n * 0.01, to_port(1 + n, SYN)) for n in range(300)]
    refused = [(n * 0.01 + 0.001, to_port(1 + n, RST_ACK, back=True)) for n in range(300)]
    _, flows = run(stream(*sorted(asked + refused)), LIVE)
    told = flows[flows["reason"] == Reason.SNAPSHOT]
    assert len(told) == 300
    for whose in ("src", "dst", "pair"):
        assert context(told, f"{whose}_conns")[:, 2] == pytest.approx(np.arange(1, 301), rel=0.003)
        assert context(told, f"{whose}_fails")[:, 2] == pytest.approx(np.arange(1, 301), rel=0.003)
        assert (context(told, f"{whose}_open") == 0).all()
        ports = context(told, f"{whose}_ports")[:, 0]
        assert (np.diff(ports) >= 0).all()
        # All but at most two of 64 buckets are hit by 300 ports: 64 ln(64/2) is 222, the most that is told 310.
        assert 220 < ports[-1] < 311
        assert ports[9] == pytest.approx(10, rel=0.25)
        assert ports[49] == pytest.approx(50, rel=0.25)
    assert context(told, "src_peers")[-1] == pytest.approx([1, 1], abs=0.01)
    assert (context(told, "pair_bwd_bytes") == 0).all()


def test_a_sweep_of_hosts_and_a_flood_from_many():
    echo, first = ip(2, 1, b"\x08\0" + bytes(6)), bytes([10, 0, 0, 1])
    swept = [(n * 0.1, echo.replace(first, bytes([10, 0, 1, n]))) for n in range(40)]
    _, flows = run(stream(*swept))
    assert context(ended(flows), "src_peers")[-1, 0] == pytest.approx(40, rel=0.25)
    assert context(ended(flows), "src_ports")[-1, 0] == pytest.approx(1, abs=0.01)
    assert (context(flows, "dst_conns")[:, 0] <= 1).all()
    _, flows = run(stream(*((n * 0.001, tcp(SYN, host=n)) for n in range(1, 5001))))
    last = ended(flows)[-1:]
    assert context(last, "dst_conns")[0, 2] == pytest.approx(5000, rel=0.1)
    assert context(last, "dst_peers")[0, 0] == pytest.approx(-64 * np.log(0.5 / 64))
    assert context(last, "src_conns")[0, 2] == pytest.approx(1, rel=0.001)


@pytest.mark.parametrize(("jitter", "least", "most"), [(0, 0, 1e-6), (20, 0.2, 0.6)])
def test_a_beacon_keeps_its_minute(jitter: float, least: float, most: float):
    beats = [visit(60 * n + jitter * (n % 2), port=1000 + n) for n in range(20)]
    _, flows = run(stream(*(packet for beat in beats for packet in beat)))
    last = ended(flows)[-1]["context"]
    assert last["pair_gap_mean"] == pytest.approx(60, abs=jitter)
    assert least <= last["pair_gap_cv"] <= most
    assert (last["pair_fwd_mean"], last["pair_bwd_mean"], last["pair_time_mean"]) == pytest.approx((10, 100, 0.5))
    assert (last["pair_fwd_cv"], last["pair_bwd_cv"], last["pair_time_cv"]) == pytest.approx((0, 0, 0), abs=1e-6)


def test_slowloris_keeps_connections_open():
    """100 connections that send a byte every 30 s."""
    begun = [(n * 0.1, tcp(SYN, port=2000 + n)) for n in range(100)]
    answers = [(n * 0.1 + 0.01, tcp(SYN_ACK, back=True, port=2000 + n)) for n in range(100)]
    late = [(30 * k + n * 0.1, tcp(PSH_ACK, port=2000 + n, data=b"x")) for k in range(1, 6) for n in range(100)]
    _, flows = run(stream(*sorted(begun + answers + late, key=lambda one: one[0])))
    cut = flows[flows["reason"] == Reason.ACTIVE]
    assert len(cut) == 100
    for name in ("src_open", "dst_open", "pair_open"):
        assert (context(cut, name) == 100).all()
    assert (context(cut, "pair_done") == 0).all()
    assert context(flows, "pair_open")[-1] == 0
    assert context(flows, "pair_fails")[-1, 2] == pytest.approx(100, rel=0.02)
    # The bytes of the pieces are those of the whole: 5 from each connection.
    assert flows["context"][-1]["pair_fwd_mean"] == pytest.approx(5)
    assert flows["context"][-1]["pair_time_mean"] == pytest.approx(150, abs=0.1)


def test_counts_halve_in_their_half_life():
    """A second connection 60 s after the first began, each told as it begins."""
    _, flows = run(stream((0, udp()), (60, to_port(80, SYN))), replace(WIRE, snapshot_pkts=1))
    first, second = flows[flows["reason"] == Reason.SNAPSHOT]["context"]
    for whose in ("src", "dst", "pair"):
        assert first[f"{whose}_conns"].tolist() == [1, 1, 1]
        assert second[f"{whose}_conns"].tolist() == pytest.approx([1 + 2**-12, 1.5, 1 + 2**-0.1], rel=1e-6)
        assert second[f"{whose}_ports"] == pytest.approx([2, 2], abs=0.05)
        assert second[f"{whose}_open"] == 2
    assert second["pair_gap_mean"] == 60


def test_things_leave_their_span():
    _, flows = run(stream((0, udp()), (61, to_port(80, SYN)), (662, to_port(81, SYN))), replace(WIRE, snapshot_pkts=1))
    told = flows[flows["reason"] == Reason.SNAPSHOT]["context"]["src_ports"]
    assert told[1] == pytest.approx([1, 2], abs=0.05)
    assert told[2] == pytest.approx([1, 1], abs=0.05)


def test_damped_bytes_and_ends():
    _, flows = run(stream(*visit(0), *visit(60, port=1001)), LIVE)
    last = flows[flows["part"] == 0]["context"][1]
    assert last["pair_fwd_bytes"] == pytest.approx([15, 10 + 10 * 2**-0.1], rel=1e-6)
    assert last["pair_bwd_bytes"] == pytest.approx([150, 100 + 100 * 2**-0.1], rel=1e-6)
    assert last["pair_done"] == pytest.approx(1 + 2**-0.1, rel=1e-6)
    assert last["pair_fails"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("packets", "failed"),
    [
        ([tcp(SYN)], True),
        ([tcp(SYN), tcp(RST_ACK, back=True)], True),
        ([tcp(SYN), tcp(SYN_ACK, back=True), tcp(PSH_ACK, data=b"GET")], True),
        ([tcp(SYN), tcp(SYN_ACK, back=True), tcp(PSH_ACK, back=True, data=b"220")], False),
        ([udp()], True),
        ([udp(), udp(back=True)], False),
        ([ip(2, 1, b"\x08\0" + bytes(6))], True),
        ([ip(2, 1, b"\x08\0" + bytes(6)), ip(2, 1, bytes(8), back=True)], False),
    ],
)
def test_what_came_to_nothing(packets: list[bytes], failed: bool):
    _, flows = run(stream(*((n * 0.1, packet) for n, packet in enumerate(packets))))
    assert len(flows) == 1
    for whose in ("src", "dst", "pair"):
        assert context(flows, f"{whose}_fails")[0].tolist() == [float(failed)] * 3
    assert context(flows, "pair_done")[0] == 1


def test_an_open_snapshot_is_no_end_and_a_closed_one_is():
    talk = [*visit(0)[:4], (9, tcp(ACK)), *visit(10)[4:]]
    _, flows = run(stream(*talk), replace(WIRE, snapshot_pkts=3, snapshot_closed=True))
    assert flows["reason"].tolist() == [Reason.SNAPSHOT, Reason.SNAPSHOT, Reason.RST]
    assert context(flows, "pair_open").tolist() == [1, 0, 0]
    assert context(flows, "pair_done").tolist() == [0, 1, 1]
    assert context(flows, "pair_fwd_bytes")[:, 0].tolist() == [0, 10, 10]


def test_a_port_that_is_used_again_ends_one_connection_and_begins_another():
    _, flows = run(stream(*visit(0), *visit(1)))
    assert flows["reason"].tolist() == [Reason.REUSE, Reason.RST]
    assert context(flows, "pair_done") == pytest.approx([1, 2], rel=0.01)
    assert context(flows, "pair_conns")[:, 2] == pytest.approx([1, 2], rel=0.01)
    assert context(flows, "pair_open").tolist() == [0, 0]


def test_a_connection_that_left_early_has_ended():
    _, flows = run(stream((0, udp(1)), (1, udp(2)), (2, udp(1))), max_flows=1)
    assert flows["reason"].tolist() == [Reason.EVICTED, Reason.EVICTED, Reason.SHUTDOWN]
    assert context(flows, "src_open").tolist() == [0, 0, 0]
    assert context(flows, "dst_conns")[:, 2] == pytest.approx([1, 2, 3], rel=0.01)


def test_a_silent_dialogue_that_was_cut_ends_without_a_record():
    """UDP goes on for 125 s, is cut, and stays silent: its end, 120 s after its last packet, is told with the next."""
    talk = [(5 * n, udp(2, back=n % 2 == 1)) for n in range(25)]
    _, flows = run(stream(*talk, (400, udp(3)), (401, udp(2))), replace(WIRE, snapshot_pkts=1))
    cut, after = flows[flows["reason"] == Reason.ACTIVE][0], flows[flows["reason"] == Reason.SNAPSHOT][-1]
    assert (cut["context"]["pair_open"], cut["context"]["pair_done"]) == (1, 0)
    assert after["context"]["pair_open"] == 1
    assert after["context"]["pair_done"] == pytest.approx(2 ** (-(401 - 120) / 600), rel=1e-6)


def test_at_the_end_of_a_capture_all_is_forgotten():
    engine, capture, told = FlowEngine(WIRE), stream(*visit(0)), []
    for _ in range(2):
        engine.feed(capture, Framing.sniff(capture[:4]))
        engine.finish()
        told.append(engine.take()["context"].tobytes())
    assert told[0] == told[1]
    assert engine.counters["context_forgotten"] == 0


def test_a_clock_that_falls_back_far_starts_with_empty_hands():
    _, flows = run(stream((0, udp(2)), (-4000, udp(2, back=True)), (-3999, udp(3))), replace(WIRE, snapshot_pkts=1))
    told = flows[flows["reason"] == Reason.SNAPSHOT]["context"]
    assert told["dst_conns"][:, 2].tolist() == [1, 1]
    assert told["dst_open"].tolist() == [1, 1]


def test_the_entry_updated_longest_ago_makes_room_and_is_counted():
    few = replace(WIRE, context_hosts=2, context_pairs=2, snapshot_pkts=1)
    hosts = [1, 2, 1, 3, 1, 2]
    engine, flows = run(stream(*((n, tcp(SYN, host=host, port=n)) for n, host in enumerate(hosts))), few)
    told = flows[flows["reason"] == Reason.SNAPSHOT]["context"]
    # 3 takes the place of 2, not of 1; then 2 that of 3.
    assert np.round(told["src_conns"][:, 2]).tolist() == [1, 1, 2, 1, 3, 1]
    assert np.round(told["dst_conns"][:, 2]).tolist() == [1, 2, 3, 4, 5, 6]
    assert engine.counters["context_forgotten"] == 4
    gone = ended(flows)[3]["context"]
    assert (gone["src_conns"] == 0).all()
    assert gone["dst_conns"][2] > 0


def test_open_never_falls_below_nothing():
    """The initiator is forgotten while one of its connections is open and known again when that ends."""
    few = replace(WIRE, context_hosts=1, context_pairs=1, udp_new_ns=20 * SECOND)
    _, flows = run(stream((0, udp(2)), (1, udp(3)), (2, to_port(80, SYN)), (30, udp(4))), few)
    assert (context(flows, "src_open") >= 0).all()
    assert context(flows, "src_open").max() <= 1


@pytest.mark.parametrize("name", PROFILES)
def test_only_the_sensors_own_profile_keeps_count_and_all_keep_the_first_packets(name: str):
    frames = [Frame(n * SECOND, bytes(12) + b"\x08\0" + packet) for n, (_, packet) in enumerate(visit(0))]
    engine, flows = run(pcap(frames), PROFILES[name])
    assert bool(flows["context"].tobytes().strip(b"\0")) == (name == "wire") == PROFILES[name].context
    assert flows["seq_size"][0].tolist() == [1, -1, 11, -101, 1, *[0] * 7]
    assert flows["seq_gap_us"][0].tolist() == [0, *[1_000_000] * 4, *[0] * 7]
    assert flows["seq_flags"][0].tolist() == [SYN, SYN_ACK, PSH_ACK, PSH_ACK, RST_ACK, *[0] * 7]
    assert set(engine.counters) == set(COUNTERS)


def test_the_first_packets_are_those_of_the_piece():
    talk = [(10 * n, tcp(PSH_ACK, back=n % 2 == 1, data=bytes(n))) for n in range(30)]
    _, flows = run(stream(*talk))
    assert flows["seq_size"][0].tolist() == [(-1) ** n * (n + 1) for n in range(12)]
    assert flows["seq_size"][1].tolist() == [(-1) ** n * (n + 1) for n in range(13, 25)]
    assert flows["seq_gap_us"][1].tolist() == [0, *[10_000_000] * 11]


def test_gaps_saturate_and_never_run_back():
    patient = replace(WIRE, active_ns=0, udp_ns=0, udp_new_ns=0)
    _, flows = run(stream((0, udp()), (5000, udp()), (4999, udp())), patient)
    assert flows["seq_gap_us"][0][:3].tolist() == [0, 2**32 - 1, 0]


def test_memory_is_counted_as_far_as_it_is_used():
    assert FlowEngine(WIRE).memory_bytes > FlowEngine(replace(WIRE, context=False)).memory_bytes
    engine = FlowEngine(WIRE)
    empty = engine.memory_bytes
    capture = stream(*((n * 0.001, udp(n)) for n in range(1000)))
    engine.feed(capture, Framing.sniff(capture[:4]))
    without = FlowEngine(replace(WIRE, context=False))
    base = without.memory_bytes
    without.feed(capture, Framing.sniff(capture[:4]))
    entries = engine.memory_bytes - empty - (without.memory_bytes - base)
    # 1,000 initiators and pairs, one responder, some 700 and 500 bytes each.
    assert 1_000_000 < entries < 1_400_000


@pytest.mark.parametrize("field", ["context_hosts", "context_pairs"])
@pytest.mark.parametrize("value", [0, -1, 2**24 + 1])
def test_a_table_of_nonsense_size_is_refused(field: str, value: int):
    with pytest.raises(ValueError, match=field):
        replace(WIRE, **{field: value})  # type: ignore[arg-type]


def test_context_has_no_field_but_single_precision():
    assert {CONTEXT[name].base for name in CONTEXT.names or ()} == {np.dtype("f4")}


def test_flows_taken_in_large_batches_are_the_arrays_own():
    """Above 2,048 flows the memory itself is handed over; what the engine does later must not show in it."""
    engine = FlowEngine(WIRE, max_flows=10)
    capture = stream(*((n * 0.0001, udp(n)) for n in range(20000)))
    framing, at, batches, copies = Framing.sniff(capture[:4]), 0, [], []
    while taken := engine.feed(capture[at:], framing):
        at += taken
        batches.append(engine.take())
        copies.append(batches[-1].tobytes())
    engine.finish()
    engine.take()
    assert max(map(len, batches)) > 4000
    assert [batch.tobytes() for batch in batches] == copies
    assert all(batch.flags.writeable for batch in batches)


@pytest.mark.parametrize(("back", "whose"), [(False, "src"), (False, "pair"), (True, "dst"), (True, "pair")])
def test_an_end_is_an_update_too(back: bool, whose: str):
    """The first of two ends after the second began: a third takes the second's place."""
    few = replace(WIRE, context_hosts=2, context_pairs=2, snapshot_pkts=1, snapshot_closed=True)
    asked = [(0, 1), (1, 2), (3, 3), (4, 1)]
    syns = [(at, tcp(SYN, host=host, port=1000 + at, back=back)) for at, host in asked]
    closed = (2, tcp(RST, host=1, port=1000, back=back))
    _, flows = run(stream(*sorted([*syns, closed])), few)
    begun = flows[flows["part"] == 0]["context"]
    assert np.round(begun[f"{whose}_conns"][:, 2]).tolist() == [1, 1, 1, 2]
