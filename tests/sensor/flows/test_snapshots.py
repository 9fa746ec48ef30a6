"""Records of one connection: their common flow_id, their numbers, and the copies of flows that go on."""

from dataclasses import replace

import pytest

from sensor.flows import FLOW_DTYPE, PROFILES, Profile, Reason, State
from tests.sensor.flows.captures import run
from tests.sensor.flows.test_table import ACK, RST, SYN, WIRE, stream, tcp, udp

GLANCED = replace(WIRE, snapshot_pkts=3)
OPENING = [(0, tcp(SYN)), (0.1, tcp(SYN | ACK, back=True)), (0.2, tcp(ACK))]


def test_a_snapshot_is_the_flow_as_it_is_and_the_flow_goes_on():
    engine, flows = run(stream(*OPENING, (1, tcp(ACK, data=b"abc")), (2, tcp(RST))), GLANCED)
    assert flows["reason"].tolist() == [Reason.SNAPSHOT, Reason.RST]
    assert flows["state"].tolist() == [State.ESTABLISHED, State.CLOSED]
    assert flows["part"].tolist() == [0, 1]
    assert len(set(flows["flow_id"].tolist())) == 1
    assert (flows["fwd"]["pkts"] + flows["bwd"]["pkts"]).tolist() == [3, 5]
    assert flows["fwd"]["payload"].tolist() == [0, 3]
    assert (flows["conn_ns"] == flows["end_ns"] - flows["start_ns"]).all()
    assert (engine.counters["snapshots"], engine.counters["flows"]) == (1, 1)
    _, until_then = run(stream(*OPENING), WIRE)
    flows["reason"][0] = Reason.SHUTDOWN
    flows["context"][0] = until_then["context"][0]  # there the connection has ended
    assert flows[:1].tobytes() == until_then.tobytes()


def test_a_connection_that_closes_is_told_of_at_once_and_again_after_its_stragglers():
    closes = (1, tcp(RST))
    engine, flows = run(stream(*OPENING, closes, (1.5, tcp(RST)), (30, udp())), replace(WIRE, snapshot_closed=True))
    assert flows["reason"].tolist() == [Reason.SNAPSHOT, Reason.RST, Reason.SHUTDOWN]
    assert flows["state"].tolist() == [State.CLOSED, State.CLOSED, State.NEW]
    assert (flows["fwd"]["pkts"] + flows["bwd"]["pkts"]).tolist() == [4, 5, 1]
    assert flows["part"].tolist() == [0, 1, 0]
    assert (engine.counters["snapshots"], engine.counters["flows"]) == (1, 2)


def test_one_packet_that_is_due_twice_makes_one_snapshot():
    _, flows = run(stream(*OPENING[:2], (1, tcp(RST))), replace(GLANCED, snapshot_closed=True))
    assert flows["reason"].tolist() == [Reason.SNAPSHOT, Reason.RST]


def test_strict_profiles_know_no_such_snapshot():
    _, flows = run(stream(*OPENING, (1, tcp(RST))), replace(PROFILES["cns22"], snapshot_closed=True))
    assert Reason.SNAPSHOT not in flows["reason"].tolist()


@pytest.mark.parametrize(("packets", "told"), [(2, 0), (3, 1), (4, 1), (40, 1)])
def test_a_flow_is_glanced_at_once(packets: int, told: int):
    engine, flows = run(stream(*((n * 0.1, udp()) for n in range(packets))), GLANCED)
    assert flows["reason"].tolist() == [Reason.SNAPSHOT] * told + [Reason.SHUTDOWN]
    assert engine.counters["snapshots"] == told


@pytest.mark.parametrize("profile", [WIRE, GLANCED])
def test_pieces_after_the_active_timeout_are_of_one_connection_while_their_roles_are(profile: Profile):
    every_ten = stream(*OPENING, *((10 * n, tcp(ACK, back=n % 2 == 0)) for n in range(1, 45)))
    _, flows = run(every_ten, profile)
    assert len(set(flows["flow_id"].tolist())) == 1
    assert flows["part"].tolist() == list(range(len(flows)))
    pieces = flows[flows["reason"] != Reason.SNAPSHOT]
    assert pieces["reason"].tolist() == [Reason.ACTIVE] * 3 + [Reason.SHUTDOWN]
    assert len(flows) - len(pieces) == (4 if profile is GLANCED else 0)


def test_a_flow_whose_roles_are_not_kept_is_another():
    _, silent = run(stream((0, udp()), (1, udp(back=True)), (119, udp()), (121, udp(3)), (240, udp())))
    assert silent["reason"].tolist() == [Reason.ACTIVE, Reason.IDLE, Reason.SHUTDOWN]
    assert len(set(silent["flow_id"].tolist())) == 3
    assert silent["part"].tolist() == [0, 0, 0]
    _, reused = run(stream(*OPENING, (1, tcp(RST)), (2, tcp(SYN)), (3, tcp(RST, back=True))), GLANCED)
    assert reused["reason"].tolist() == [Reason.SNAPSHOT, Reason.REUSE, Reason.RST]
    assert reused["part"].tolist() == [0, 1, 0]
    assert reused["flow_id"][0] == reused["flow_id"][1] != reused["flow_id"][2]


def test_a_flow_that_left_too_early_begins_a_connection_of_its_own():
    engine, flows = run(stream((0, udp(1)), (1, udp(2)), (2, udp(1))), max_flows=1)
    assert flows["part"].tolist() == [0, 0, 0]
    assert len(set(flows["flow_id"].tolist())) == 3
    assert engine.counters["evicted"] == 2


def test_few_packets_make_no_snapshot_where_they_make_no_record():
    engine, flows = run(stream((0, udp()), (1, udp())), replace(WIRE, min_pkts=2, snapshot_pkts=1))
    assert flows["reason"].tolist() == [Reason.SHUTDOWN]
    assert (engine.counters["snapshots"], engine.counters["single_packet_flows"]) == (0, 0)


@pytest.mark.parametrize("packets", [-1, 2**32])
def test_a_number_of_packets_outside_of_sense_is_refused(packets: int):
    with pytest.raises(ValueError, match="snapshot_pkts"):
        replace(WIRE, snapshot_pkts=packets)


def test_the_number_of_a_record_has_room_for_a_connection_without_end():
    assert FLOW_DTYPE["part"].itemsize == 4
