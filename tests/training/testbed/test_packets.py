"""The reader counts what a capture holds, and tshark counts the same."""

import gzip
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.training.testbed.frames import ACK, SYN, SYN_ACK, capture, ether, icmp, ip, tcp, udp
from training.testbed.packets import Capture, Tuple5, conversations, load, read, sort

A, B = "10.77.1.10", "10.77.9.10"


def test_both_directions_are_one_conversation_of_whoever_sent_first(tmp_path: Path):
    frames = [(5, tcp(A, 1000, B, 80, SYN)), (7, tcp(B, 80, A, 1000, SYN_ACK)), (9, tcp(A, 1000, B, 80, ACK))]
    (talk,) = conversations(capture(tmp_path / "x.pcap", frames))
    assert talk.key == Tuple5("tcp", A, 1000, B, 80)
    assert (talk.packets, talk.octets) == ([2, 1], [108, 54])
    assert (talk.start_ns, talk.end_ns) == (5_000, 9_000)


def test_a_syn_ack_that_comes_first_turns_the_roles(tmp_path: Path):
    (talk,) = conversations(capture(tmp_path / "x.pcap", [(5, tcp(B, 80, A, 1000, SYN_ACK))]))
    assert (talk.key.src, talk.packets) == (A, [0, 1])


def test_a_port_used_again_is_another_conversation_and_a_repeated_syn_is_not(tmp_path: Path):
    again = [(1, 7), (2, 7), (3, 8)]
    frames = [(at, tcp(A, 1000, B, 22, SYN, seq)) for at, seq in again]
    assert [sum(t.packets) for t in conversations(capture(tmp_path / "x.pcap", frames))] == [2, 1]


def test_icmp_errors_carry_what_they_are_about_and_echoes_their_identifier(tmp_path: Path):
    asked = udp(A, 4000, B, 53)
    echo = (77).to_bytes(2, "big") + bytes(2)
    frames = [
        (1, asked),
        (2, icmp(B, A, 3, 3, bytes(4) + asked[14:])),
        (3, icmp(A, B, 8, 0, echo)),
        (4, icmp(B, A, 0, 0, echo)),
        (5, icmp("fe80::1", "fe80::2", 135, 0, bytes(20))),
    ]
    _, error, ping, neighbour = conversations(capture(tmp_path / "x.pcap", frames))
    assert error.about == Tuple5("udp", A, 4000, B, 53)
    assert (ping.key, ping.packets) == (Tuple5("icmp", A, 77, B, 77), [1, 1])
    assert (neighbour.key.protocol, neighbour.kind) == ("icmp6", 135)


def test_after_a_new_syn_the_answers_are_the_new_conversations(tmp_path: Path):
    both = [(SYN, SYN_ACK), (ACK, ACK), (ACK, ACK)]
    frames = [
        (100 * round_ + 2 * step + way, tcp(*ends, flags[way], 50 * round_ if not step else 9))
        for round_ in (1, 2, 3)
        for step, flags in enumerate(both)
        for way, ends in enumerate([(A, 1000, B, 80), (B, 80, A, 1000)])
    ]
    talks = conversations(capture(tmp_path / "x.pcap", frames))
    assert [(talk.packets, talk.start_ns, talk.end_ns) for talk in talks] == [
        ([3, 3], 100_000 * round_, 100_000 * round_ + 5000) for round_ in (1, 2, 3)
    ]


@pytest.mark.parametrize("v", [4, 6])
def test_fragments_belong_with_their_first(tmp_path: Path, v: int):
    a, b = (A, B) if v == 4 else ("fd77::1", "fd77::2")
    whole = udp(a, 1000, b, 53)[14 + (20 if v == 4 else 40) :] + bytes(24)
    frames = []
    for number, (cut, rest) in enumerate(((0, whole[:16]), (16, whole[16:]))):
        if v == 4:
            packet = bytearray(ip(a, b, 17, rest))
            packet[4:8] = b"\x12\x34" + ((0x2000 if cut == 0 else 0) | cut // 8).to_bytes(2, "big")
        else:
            head = bytes((17, 0)) + (cut | (cut == 0)).to_bytes(2, "big") + b"\1\2\3\4"
            packet = bytearray(ip(a, b, 44, head + rest))
        frames.append((number, ether(bytes(packet))))
    (talk,) = conversations(capture(tmp_path / "x.pcap", frames))
    assert (talk.key, talk.packets) == (Tuple5("udp", a, 1000, b, 53), [2, 0])


def test_a_cut_begins_another_conversation_from_that_side_on(tmp_path: Path):
    frames = [
        (at, udp(*ends))
        for at, ends in ((1, (A, 7, B, 53)), (4, (B, 53, A, 7)), (5, (A, 7, B, 53)), (6, (B, 53, A, 7)))
    ]
    talks, owners = sort(load(capture(tmp_path / "x.pcap", frames)), {Tuple5("udp", A, 7, B, 53): [3000]})
    assert ([talk.packets for talk in talks], owners.tolist()) == ([[1, 1], [1, 1]], [0, 0, 1, 1])


def test_what_has_no_ports_is_new_after_a_minute_of_silence(tmp_path: Path):
    frames = [(at * 10**6, ether(ip(A, "224.0.0.22", 2, bytes(8)))) for at in (1, 61, 122)]
    assert [(talk.key.protocol, sum(talk.packets)) for talk in conversations(capture(tmp_path / "x.pcap", frames))] == [
        ("igmp", 2),
        ("igmp", 1),
    ]


def test_several_captures_are_merged_by_time_and_finer_clocks_are_kept(tmp_path: Path):
    one = capture(tmp_path / "1.pcap", [(5, udp(A, 1, B, 2)), (9, udp(A, 1, B, 2))])
    other = capture(tmp_path / "2.pcap", [(7, udp(B, 2, A, 1))])
    fine = bytearray(other.read_bytes())
    fine[:4] = b"\x4d\x3c\xb2\xa1"
    (tmp_path / "3.pcap").write_bytes(bytes(fine))
    merged: Capture = load(one, other, tmp_path / "3.pcap")
    assert merged.time_ns.tolist() == [7, 5000, 7000, 9000]
    assert [frame for _, _, frame in merged.frames()][1:3] == [udp(A, 1, B, 2), udp(B, 2, A, 1)]


def test_a_header_that_is_cut_off_is_counted_all_the_same(tmp_path: Path):
    frames = [(1, tcp(A, 1000, B, 80, SYN)[:42]), (2, icmp(A, B, 3, 3, bytes(4))), (3, bytes(12) + b"\x08\x00\x45")]
    talks = conversations(capture(tmp_path / "x.pcap", frames))
    assert [(talk.key.protocol, talk.key.sport) for talk in talks] == [("tcp", 1000), ("icmp", 0)]


def test_a_snapped_frame_counts_with_its_length_on_the_wire(tmp_path: Path):
    (talk,) = conversations(capture(tmp_path / "x.pcap", [(1, udp(A, 1, B, 2) + bytes(900))], 64))
    assert talk.octets == [946, 0]


def test_what_is_no_ip_is_passed_over(tmp_path: Path):
    assert conversations(capture(tmp_path / "x.pcap", [(1, bytes(12) + b"\x08\x06" + bytes(28))])) == []


@pytest.mark.parametrize("cut", [10, 24 + 8, 24 + 16 + 20])
def test_a_capture_that_is_none_or_is_cut_short_is_refused(tmp_path: Path, cut: int):
    path = capture(tmp_path / "x.pcap", [(1, udp(A, 1, B, 2))])
    path.write_bytes(path.read_bytes()[:cut] if cut > 24 else b"not a pcap")
    with pytest.raises(ValueError, match=r"x\.pcap"):
        list(read(path))


def test_gzip_reads_the_same(tmp_path: Path):
    path = capture(tmp_path / "x.pcap", [(1, udp(A, 1, B, 2))])
    packed = tmp_path / "x.pcap.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read(packed)) == list(read(path))


def test_tshark_counts_the_same_conversations(bundled: Path):
    if not shutil.which("tshark"):
        pytest.skip("comparing with tshark needs the program tshark")
    pcap = bundled.parent / json.loads(bundled.read_text())["capture"]["file"]
    ours: Counter[tuple[str, ...]] = Counter()
    # tshark ties datagrams of one 5-tuple to several streams where its dissectors know what is asked and answered.
    udp_ours: Counter[tuple[str, ...]] = Counter()
    udp_theirs: Counter[tuple[str, ...]] = Counter()
    for talk in conversations(pcap):
        if talk.key.protocol in ("tcp", "udp"):
            ends = sorted(((talk.key.src, str(talk.key.sport)), (talk.key.dst, str(talk.key.dport))))
            if talk.key.protocol == "tcp":
                ours[talk.key.protocol, *ends[0], *ends[1], str(sum(talk.packets))] += 1
            else:
                udp_ours[talk.key.protocol, *ends[0], *ends[1]] += sum(talk.packets)
    theirs: Counter[tuple[str, ...]] = Counter()
    for protocol in ("tcp", "udp"):
        words = ["tshark", "-n", "-r", str(pcap), "-Y", f"{protocol} && !icmp && !icmpv6", "-T", "fields"]
        fields = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "srcport", "dstport", "stream"]
        for name in fields:
            words += ["-e", name if "." in name else f"{protocol}.{name}"]
        packets: Counter[tuple[str, ...]] = Counter()
        for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
            v4_src, v6_src, v4_dst, v6_dst, sport, dport, stream = line.split("\t")
            ends = sorted(((v4_src or v6_src, sport), (v4_dst or v6_dst, dport)))
            packets[protocol, *ends[0], *ends[1], stream] += 1
        for key, count in packets.items():
            if protocol == "tcp":
                theirs[*key[:-1], str(count)] += 1
            else:
                udp_theirs[key[:-1]] += count
    assert ours == theirs
    assert udp_ours == udp_theirs
