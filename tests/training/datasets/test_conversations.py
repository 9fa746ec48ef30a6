"""The labels file: exact times, both ways round one key, errors that name the row."""

import pytest

from sensor.errors import NettrusionError
from training.datasets import conversations

HEADER = "src,sport,dst,dport,proto,start,end,packets,label"


def write(tmp_path, *rows, header=HEADER):
    path = tmp_path / "x.labels.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_times_are_exact_and_missing_columns_are_empty(tmp_path):
    path = write(tmp_path, "10.0.0.1,5,10.0.0.2,80,tcp,1800000000.123456,1800000001.000001,3,scan")
    _, (row,) = conversations.read(path)
    assert (row.start_ns, row.end_ns) == (1_800_000_000_123_456_000, 1_800_000_001_000_001_000)
    assert (row.label, row.activity, row.act, row.run, row.host) == ("scan", "", 0, 0, "")


def test_both_ways_round_are_one_key_and_protocols_are_not(tmp_path):
    path = write(
        tmp_path,
        "10.0.0.1,5,10.0.0.2,80,tcp,1.0,2.0,3,benign",
        "10.0.0.2,80,10.0.0.1,5,tcp,3.0,4.0,3,benign",
        "10.0.0.1,5,10.0.0.2,80,udp,1.0,2.0,3,benign",
        "fe80::1,0,ff02::1,0,icmp6,1.0,2.0,3,benign",
        "10.0.0.1,0,10.0.0.2,0,47,1.0,2.0,3,benign",
        "10.0.0.1,0,224.0.0.22,0,igmp,1.0,2.0,3,benign",
    )
    keys, rows = conversations.read(path)
    assert sorted(keys.values()) == [[0, 1], [2], [3], [4], [5]]
    assert {key[0] for key in keys} == {6, 17, 58, 47, 2}
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("10.0.0.300,5,10.0.0.2,80,tcp,1.0,2.0,3,benign", r"x\.labels\.csv: row 2"),
        ("10.0.0.1,5,10.0.0.2,80,tcp,soon,2.0,3,benign", "row 2"),
        ("10.0.0.1,5,10.0.0.2,80,carrier,1.0,2.0,3,benign", "carrier"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path, row, said):
    with pytest.raises(NettrusionError, match=said):
        conversations.read(write(tmp_path, row))


def test_a_column_that_is_missing_is_named(tmp_path):
    with pytest.raises(NettrusionError, match="no column label"):
        conversations.read(write(tmp_path, header=HEADER.removesuffix(",label")))


def test_overlap_counts_the_shared_time():
    talk = conversations.Conversation(1000, 5000, "benign", "", "", 0, 0, "")
    assert talk.overlap(5000, 9000) >= 0
    assert talk.overlap(7000, 9000) < 0
    assert talk.overlap(1000, 5000) > talk.overlap(4000, 9000)
