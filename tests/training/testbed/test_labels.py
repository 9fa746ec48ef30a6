"""Whose a conversation is: expectations written by hand, and what must fail."""

from dataclasses import replace
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.frames import ACK, SYN, SYN_ACK, icmp, tcp, udp
from tests.training.testbed.stories import SECOND, A, B, C, line, load, story
from training.testbed import labels
from training.testbed.labels import label

TWO = story((10, "benign", 0, 0), (11, "scan", 0, 0))


def owners(rows: labels.Labels) -> list[int]:
    return [row.run for row in rows]


def test_a_conversation_is_its_sockets_runs(tmp_path: Path):
    frames = [(10, tcp(A, 1000, B, 80, SYN)), (11, tcp(A, 1001, B, 80, SYN)), (12, tcp(B, 80, A, 1000, SYN_ACK))]
    lines = [line(9, 10, "connect", "tcp", A, 1000, B, 80), line(9, 11, "connect", "tcp", A, 1001, B, 80)]
    rows = label(load(tmp_path, frames), lines, TWO)
    assert [(row.run, row.act, row.label, row.activity, row.tool, row.host) for row in rows] == [
        (10, 10, "benign", "kind10", "tool10", "a"),
        (11, 11, "scan", "kind11", "tool11", "a"),
    ]
    assert rows.owners.tolist() == [0, 1, 0]


def test_the_latest_line_before_the_first_packet_counts(tmp_path: Path):
    frames = [
        (10, tcp(A, 1000, B, 80, SYN, 1)),
        (5_000_000, tcp(A, 1000, B, 80, SYN, 2)),
        (5_000_009, tcp(A, 1000, B, 80, ACK, 9)),
    ]
    lines = [line(at, run, "connect", "tcp", A, 1000, B, 80) for at, run in ((9, 10), (4_999_999, 11), (5_000_005, 10))]
    assert owners(label(load(tmp_path, frames), lines, TWO)) == [10, 11]


def test_nobodys_conversation_is_named_and_counted(tmp_path: Path):
    frames = [(10 + port, tcp(A, port, B, 80, SYN)) for port in range(1, 13)]
    with pytest.raises(NettrusionError, match=r"12 of 12 .*tcp 10\.77\.1\.10 1 > 10\.77\.9\.10 80.*none.*and 4 more"):
        label(load(tmp_path, frames), [line(99, 10, "connect", "tcp", A, 1, B, 80)], TWO)


def test_two_acts_that_used_one_5_tuple_at_once_cannot_be_told_apart(tmp_path: Path):
    lines = [line(8, 10, "connect", "tcp", A, 1000, B, 80), line(9, 11, "raw", "tcp", A, 1000, B, 80)]
    with pytest.raises(NettrusionError, match=r"run 11 \(tool11\), run 10 \(tool10\)"):
        label(load(tmp_path, [(10, tcp(A, 1000, B, 80, SYN))]), lines, TWO)


def test_a_connection_line_is_not_believed_for_ever_nor_a_run_after_its_end(tmp_path: Path):
    capture = load(tmp_path, [(200 * 10**6, tcp(A, 1000, B, 80, SYN))])
    with pytest.raises(NettrusionError, match="none"):
        label(capture, [line(9, 10, "connect", "tcp", A, 1000, B, 80)], TWO)
    capture = load(tmp_path, [(200 * 10**6, udp(A, 1000, B, 53))])
    lines = [line(9, 10, "datagram", "udp", A, 1000, B, 53)]
    assert owners(label(capture, lines, TWO)) == [10]
    with pytest.raises(NettrusionError, match="none"):
        label(capture, lines, story((10, "benign", 0, 0), end_ns=180 * SECOND))


def test_a_datagram_port_that_passes_to_another_run_makes_another_conversation(tmp_path: Path):
    frames = [
        (10, udp(A, 1000, B, 53)),
        (12, udp(B, 53, A, 1000)),
        (20, udp(A, 1000, B, 53)),
        (21, udp(B, 53, A, 1000)),
    ]
    lines = [line(at, run, "datagram", "udp", A, 1000, B, 53) for at, run in ((9, 10), (19, 11))]
    lines.append(line(11, 1, "datagram", "udp", B, 53, A, 1000))
    rows = label(load(tmp_path, frames), lines, TWO)
    assert [(row.run, row.talk.packets) for row in rows] == [(10, [1, 1]), (11, [1, 1])]


def test_what_a_server_begins_is_its_own_unless_a_client_explains_it(tmp_path: Path):
    frames = [
        (10, tcp(B, 20, A, 3000, SYN)),
        (11, tcp(B, 20, A, 3001, SYN)),
        (12, udp(B, 7000, A, 7001)),
        (14, udp(A, 7001, B, 7000)),
        (15, udp(B, 7002, C, 53)),
    ]
    lines = [
        line(5, 10, "listen", "tcp", "0.0.0.0", 3000, "", 0),
        line(9, 1, "connect", "tcp", B, 20, A, 3000),
        line(10, 1, "connect", "tcp", B, 20, A, 3001),
        line(11, 1, "datagram", "udp", B, 7000, A, 7001),
        line(13, 11, "datagram", "udp", A, 7001, B, 7000),
        line(14, 1, "datagram", "udp", B, 7002, C, 53),
    ]
    rows = label(load(tmp_path, frames), lines, TWO)
    assert [(row.run, row.activity) for row in rows] == [
        (10, "kind10"),
        (1, "service"),
        (11, "kind11"),
        (1, "service"),
    ]


def test_what_a_server_passes_on_to_an_attackers_host_is_the_attacks(tmp_path: Path):
    frames = [
        (10, udp(A, 1000, B, 53)),
        (11, udp(A, 1001, B, 53)),
        (12, udp(B, 2000, C, 53)),
        (13, udp(A, 1002, B, 53)),
        (30_000_000, udp(B, 2001, C, 53)),
    ]
    told = replace(TWO, hostile=frozenset({"c"}))
    lines = [
        line(9, 11, "datagram", "udp", A, 1000, B, 53),
        *(line(10, 10, "datagram", "udp", A, port, B, 53) for port in (1001, 1002)),
        *(line(at, 1, "datagram", "udp", B, port, C, 53) for at, port in ((11, 2000), (29_999_999, 2001))),
    ]
    rows = label(load(tmp_path, frames), lines, told)
    assert [(row.run, row.act, row.label, row.activity, row.tool) for row in rows][2::2] == [
        (1, 11, "scan", "kind11", "serverd"),
        (1, 0, "benign", "service", "serverd"),
    ]
    assert {row.act for row in label(load(tmp_path, frames), lines, TWO)} == {10, 11, 0}


def test_an_error_belongs_with_what_it_complains_of(tmp_path: Path):
    asked, answered = udp(A, 4000, B, 53), udp(B, 53, A, 4000)
    frames = [
        (10, asked),
        (11, icmp(B, A, 3, 3, bytes(4) + asked[14:])),
        (12, answered),
        (13, icmp(A, B, 3, 3, bytes(4) + answered[14:])),
        (14, icmp(C, A, 11, 0, bytes(4) + udp(A, 4001, B, 53)[14:])),
    ]
    lines = [
        line(9, 11, "datagram", "udp", A, 4000, B, 53),
        line(9, 10, "datagram", "udp", A, 4001, B, 53),
        line(11, 1, "datagram", "udp", B, 53, A, 4000),
    ]
    assert owners(label(load(tmp_path, frames), lines, TWO)) == [11, 11, 11, 10]


def test_kernels_speak_for_themselves_unless_a_program_did(tmp_path: Path):
    frames = [
        (10, icmp("fe80::1", "fe80::2", 135, 0, bytes(20))),
        (11, icmp("fe80::3", "ff02::1", 135, 0, bytes(20))),
    ]
    rows = label(load(tmp_path, frames), [line(10, 11, "raw", "icmp6", "fe80::3", 0, "ff02::1", 0)], TWO)
    assert [(row.run, row.label, row.tool) for row in rows] == [(0, "benign", "kernel"), (11, "scan", "tool11")]


def test_an_unknown_local_address_is_one_of_the_runs_host(tmp_path: Path):
    capture = load(tmp_path, [(10, udp(A, 5353, "224.0.0.251", 5353))])
    lines = [line(9, run, "datagram", "udp", "0.0.0.0", 5353, "224.0.0.251", 5353) for run in (1, 10)]
    assert owners(label(capture, lines, TWO)) == [10]


def test_a_connection_in_whose_call_the_program_was_killed_is_its_runs(tmp_path: Path):
    frames = [(10, tcp(A, 1000, B, 80, SYN)), (12, tcp(A, 1001, B, 80, SYN))]
    meant = line(8, 10, "intent", "tcp", "0.0.0.0", 0, B, 80)
    lines = [meant, line(9, 11, "connect", "tcp", A, 1001, B, 80)]
    assert owners(label(load(tmp_path, frames), lines, TWO)) == [10, 11]
    with pytest.raises(NettrusionError, match=r"1 of 1 .*run 11 \(tool11\), run 10 \(tool10\)"):
        label(load(tmp_path, frames[:1]), [meant, replace(meant, run=11, time_ns=meant.time_ns + 1)], TWO)
    with pytest.raises(NettrusionError, match=r"1 of 1 .*none"):
        label(load(tmp_path, [(2_000_000, tcp(A, 1000, B, 80, SYN))]), [meant], TWO)


def test_a_conversation_across_the_gateway_is_the_inside_runs(tmp_path: Path):
    capture = load(tmp_path, [(10, tcp(C, 61000, B, 80, SYN)), (11, tcp(B, 80, C, 61000, SYN_ACK))])
    assert owners(label(capture, [line(9, 10, "nat", "tcp", C, 61000, B, 80)], TWO)) == [10]


def test_the_file_says_what_the_contract_says_and_is_read_again(tmp_path: Path):
    lines = [line(9, 11, "connect", "tcp", A, 1000, B, 80), line(9, 10, "datagram", "icmp", A, 77, B, 77)]
    frames = [(1_500_000, tcp(A, 1000, B, 80, SYN)), (2_000_001, icmp(A, B, 8, 0, b"\0\x4d\0\0"))]
    rows = label(load(tmp_path, frames), lines, TWO)
    labels.write(tmp_path / "x.labels.csv", rows)
    assert (tmp_path / "x.labels.csv").read_text().splitlines() == [
        "src,sport,dst,dport,proto,start,end,packets,label,activity,tool,act,run,host",
        "10.77.1.10,1000,10.77.9.10,80,tcp,1.500000,1.500000,1,scan,kind11,tool11,11,11,a",
        "10.77.1.10,0,10.77.9.10,0,icmp,2.000001,2.000001,1,benign,kind10,tool10,10,10,a",
    ]
    first, second = labels.read(tmp_path / "x.labels.csv")
    assert (first.key, first.start_ns, first.packets, first.act) == (rows.rows[0].talk.key, 1_500_000_000, 1, 11)
    assert (second.end_ns, second.label, second.host) == (2_000_001_000, "benign", "a")


@pytest.mark.parametrize("text", ["a,b\n", ",".join(labels.COLUMNS) + "\n1,2,3\n", ""])
def test_another_file_is_refused(tmp_path: Path, text: str):
    (tmp_path / "x").write_text(text)
    with pytest.raises(NettrusionError, match="x"):
        labels.read(tmp_path / "x")
