"""Acts move to their virtual times; inside them nothing changes, and 5-tuples stay apart."""

import gzip
from pathlib import Path

import numpy as np

from tests.training.testbed.frames import ACK, SYN, icmp, tcp, udp
from tests.training.testbed.stories import SECOND, A, B, line, load, story
from training.testbed import labels, packets, retime, sockets
from training.testbed.labels import Story
from training.testbed.retime import Settled, settle, write_capture
from training.testbed.sockets import Socket

HOUR = 3600 * SECOND


def settled(folder: Path, frames: list[tuple[int, bytes]], lines: list[Socket], told: Story) -> Settled:
    """Settle, and prove that the same labels follow from the finished files."""
    capture = load(folder, frames)
    done = settle(capture, labels.label(capture, lines, told), lines, told)
    write_capture(folder / "v.pcap.gz", done, 192)
    sockets.write(folder / "v.sockets.csv.gz", done.lines)
    again = labels.follow(folder / "v.pcap.gz", folder / "v.sockets.csv.gz", done.story)
    assert labels.text(again) == labels.text(done.rows)
    assert again.owners.tolist() == done.labels.owners.tolist()
    return done


def starts(done: Settled) -> dict[int, float]:
    return {row.run: row.talk.start_ns / 1e9 for row in reversed(done.rows)}


def test_each_act_moves_by_its_own_offset_and_keeps_its_gaps(tmp_path: Path):
    told = story((10, "benign", SECOND, 2 * HOUR), (11, "scan", 2 * SECOND, HOUR))
    frames = [
        (1_000_100, tcp(A, 1000, B, 80, SYN)),
        (2_000_100, tcp(A, 1001, B, 80, SYN)),
        (2_000_103, tcp(B, 80, A, 1000, ACK)),
        (2_000_900, tcp(B, 80, A, 1001, ACK)),
    ]
    lines = [
        line(1_000_000, 10, "connect", "tcp", A, 1000, B, 80),
        line(2_000_000, 11, "connect", "tcp", A, 1001, B, 80),
    ]
    done = settled(tmp_path, frames, lines, told)
    assert [row.run for row in done.rows] == [11, 10]
    assert (done.times_ns // 1000).tolist() == [3600_000_100, 3600_000_900, 7200_000_100, 7201_000_103]
    assert [one.time_ns for one in done.lines] == [HOUR, 2 * HOUR]
    assert (done.story.runs[11].start_ns, done.story.acts[11].start_ns) == (HOUR - 2 * SECOND, HOUR)


def test_microseconds_stay_whole_however_odd_an_acts_times_are(tmp_path: Path):
    told = story((10, "benign", 333, HOUR + 999))
    frames = [(at, udp(A, 1000, B, 53)) for at in (10, 13, 17)]
    done = settled(tmp_path, frames, [line(9, 10, "datagram", "udp", A, 1000, B, 53)], told)
    assert (done.times_ns - HOUR).tolist() == [10_000, 13_000, 17_000]
    assert done.rows[0].talk.start_ns % 1000 == 0


def test_what_belongs_to_no_act_goes_with_the_act_begun_last(tmp_path: Path):
    told = story((10, "benign", SECOND, HOUR), (11, "benign", 5 * SECOND, 2 * HOUR))
    frames = [
        (500_000, icmp("fe80::1", "fe80::2", 135, 0, bytes(20))),
        (4_999_990, udp(B, 9000, A, 514)),
        (5_000_010, udp(B, 9000, A, 514)),
        (6_000_000, bytes(12) + b"\x08\x06" + bytes(28)),
    ]
    done = settled(tmp_path, frames, [line(4_999_980, 1, "datagram", "udp", B, 9000, A, 514)], told)
    assert (done.times_ns / 1e9).tolist() == [3599.5, 3603.99999, 3604.00001, 7201.0]
    assert done.labels.owners.tolist() == [0, 1, 1, -1]


def test_a_5_tuple_of_two_acts_keeps_its_rest(tmp_path: Path):
    told = story((10, "benign", 0, 100 * SECOND), (11, "scan", 60 * SECOND, 110 * SECOND))
    frames = [
        (1_000_000, tcp(A, 1000, B, 80, SYN, 1)),
        (21_000_000, tcp(A, 1000, B, 80, ACK, 2)),
        (61_000_000, tcp(A, 1000, B, 80, SYN, 9)),
    ]
    lines = [line(at, run, "connect", "tcp", A, 1000, B, 80) for at, run in ((999_990, 10), (60_999_990, 11))]
    done = settled(tmp_path, frames, lines, told)
    assert starts(done) == {10: 101.0, 11: 161.0}
    assert done.story.acts[11].start_ns == 160 * SECOND
    assert done.notes == ["act 11 (kind11) begins 50 s later than planned: it used a 5-tuple of another act"]


def test_a_5_tuple_that_is_played_in_the_other_order_rests_for_long(tmp_path: Path):
    told = story((10, "benign", 0, 500 * SECOND), (11, "scan", 10 * SECOND, 450 * SECOND))
    frames = [(1_000_000, tcp(A, 1000, B, 80, SYN, 1)), (11_000_000, tcp(A, 1000, B, 80, SYN, 9))]
    lines = [line(at, run, "connect", "tcp", A, 1000, B, 80) for at, run in ((999_990, 10), (10_999_990, 11))]
    assert starts(settled(tmp_path, frames, lines, told)) == {11: 451.0, 10: 581.0}


def test_neighbours_that_fell_silent_do_not_come_nearer(tmp_path: Path):
    told = story((10, "benign", 0, 0), (11, "benign", 50 * SECOND, 10 * SECOND))
    solicit = icmp("fe80::1", "fe80::2", 135, 0, bytes(20))
    done = settled(tmp_path, [(1_000_000, solicit), (71_000_000, solicit)], [], told)
    assert np.diff(done.times_ns).tolist() == [70 * SECOND]


def test_a_port_that_passes_to_another_run_stays_two_conversations(tmp_path: Path):
    told = story((10, "benign", 0, HOUR), (11, "scan", 10 * SECOND, 2 * HOUR))
    frames = [(at, udp(A, 1000, B, 53)) for at in (1_000_000, 2_000_000, 11_000_000)]
    lines = [line(at, run, "datagram", "udp", A, 1000, B, 53) for at, run in ((999_990, 10), (10_999_990, 11))]
    done = settled(tmp_path, frames, lines, told)
    assert [(row.run, row.talk.packets) for row in done.rows] == [(10, [2, 0]), (11, [1, 0])]


def test_the_capture_is_cut_and_repeats_byte_for_byte(tmp_path: Path):
    told = story((10, "benign", 0, HOUR))
    lines = [line(9, 10, "datagram", "udp", A, 1, B, 2), line(9, 10, "connect", "tcp", A, 1, B, 2)]
    capture = load(tmp_path, [(10, udp(A, 1, B, 2) + bytes(900))])
    done = settle(capture, labels.label(capture, lines, told), lines, told)
    assert done.notes == ["1 of the acts' 1 TCP connections have no packet in the capture"]
    facts = write_capture(tmp_path / "one.pcap.gz", done, 100)
    write_capture(tmp_path / "two.pcap.gz", done, 100)
    assert (tmp_path / "one.pcap.gz").read_bytes() == (tmp_path / "two.pcap.gz").read_bytes()
    assert facts == {"packets": 1, "snap_bytes": 100, "start_ns": HOUR + 10_000, "end_ns": HOUR + 10_000}
    ((time_ns, wire, frame),) = packets.read(tmp_path / "one.pcap.gz")
    assert (time_ns, wire, len(frame)) == (HOUR + 10_000, 946, 100)
    assert gzip.decompress((tmp_path / "one.pcap.gz").read_bytes())[16:20] == (100).to_bytes(4, "little")


def test_nothing_settles_to_nothing(tmp_path: Path):
    capture = load(tmp_path, [])
    done = retime.settle(capture, labels.label(capture, [], story()), [], story())
    assert write_capture(tmp_path / "v.pcap.gz", done, 192)["packets"] == len(done.rows) == 0
