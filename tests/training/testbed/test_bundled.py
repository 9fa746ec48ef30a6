"""The bundled capture against expectations written by hand, from what its tools are known to send.

tshark reads the packets; what it finds by a tool's habits, never by the labels, must be labelled so.
"""

import csv
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from training.testbed.acts import LABELS

ATTACKER, WEB, STORE, OFFICE, LAPTOP = "198.18.101.10", "10.77.9.10", "10.77.11.10", "10.77.3.10", "10.77.2.10"
BOTS = "198.18.102."
BEGINS_S = 1772460000.0  # 2026-03-02 14:00:00 UTC
# When each attack may begin, in seconds after the beginning, and how long it lasts at most.
WINDOWS = {
    "port-scan": (8.0, 12.0, 10.0),
    "host-sweep": (14.0, 16.0, 15.0),
    "flood": (18.0, 19.0, 8.0),
    "bot-flood": (21.0, 22.0, 8.0),
    "bot-http": (24.0, 25.0, 12.0),
    "slow-headers": (28.0, 30.0, 30.0),
    "http-guessing": (12.0, 14.0, 15.0),
    "page-search": (50.0, 52.0, 15.0),
    "sql-injection": (40.0, 42.0, 25.0),
    "http-beacon": (3.0, 5.0, 75.0),
    "http-exfiltration": (55.0, 57.0, 15.0),
    "break-in": (30.0, 31.0, 30.0),
    "lateral-enum": (60.0, 62.0, 20.0),
}
Row = dict[str, str]
Ends = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def rows(bundled: Path) -> list[Row]:
    with (bundled.parent / "demo.labels.csv").open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def opened(bundled: Path) -> dict[Ends, int]:
    """The window of each connection's first SYN, by its ends: tools that make packets have one of their own."""
    if not shutil.which("tshark"):
        pytest.skip("what tshark sees needs the program tshark")
    fields = ("ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.window_size_value")
    words = ["tshark", "-n", "-r", str(bundled.parent / "demo.pcap.gz"), "-T", "fields"]
    words += ["-Y", "ip && tcp.flags.syn == 1 && tcp.flags.ack == 0 && !icmp"]
    words += [word for field in fields for word in ("-e", field)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[Ends, int] = {}
    for line in done.stdout.splitlines():
        src, sport, dst, dport, window = line.split("\t")
        found.setdefault((src, sport, dst, dport), int(window))
    return found


def ends(row: Row) -> Ends:
    return row["src"], row["sport"], row["dst"], row["dport"]


def labelled(rows: list[Row], **what: str) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in what.items())]


def test_every_class_is_there_and_most_is_benign(rows: list[Row]):
    counts = Counter(row["label"] for row in rows)
    assert set(counts) == set(LABELS)
    assert counts["benign"] > len(rows) / 2


def test_a_syn_of_nmap_is_a_scan_and_a_scan_of_the_web_server_is_such_a_syn(rows: list[Row], opened: dict[Ends, int]):
    """nmap's own packets have a window of 1024, which no kernel here begins with."""
    nmaps = {key for key, window in opened.items() if window == 1024}
    scans = {ends(row) for row in labelled(rows, label="scan", proto="tcp", src=ATTACKER, dst=WEB)}
    assert len(nmaps) > 50
    assert nmaps <= {ends(row) for row in labelled(rows, label="scan")}
    assert scans <= nmaps
    assert {int(key[3]) for key in scans} >= {21, 22, 80}


def test_a_syn_of_hping3_is_a_flood_from_one_or_from_bots(rows: list[Row], opened: dict[Ends, int]):
    """hping3's window is 64 where none is asked for, or what its command asks for; it has no options."""
    by_ends = {ends(row): row for row in rows}
    made = [by_ends[key] for key, window in opened.items() if window in (64, 512) and key in by_ends]
    assert {row["label"] for row in made} <= {"dos", "ddos"}
    assert all(row["label"] == ("dos" if row["src"] == ATTACKER else "ddos") for row in made)
    assert len(labelled(rows, label="dos", src=ATTACKER, dst=WEB)) >= 80
    assert len({row["src"] for row in rows if row["label"] == "ddos" and row["src"].startswith(BOTS)}) >= 8


def test_whatever_holds_a_connection_to_the_web_server_for_ten_seconds_and_says_little_is_slow_http(rows: list[Row]):
    held = [
        row
        for row in rows
        if (row["src"], row["dst"], row["dport"], row["proto"]) == (ATTACKER, WEB, "80", "tcp")
        and float(row["end"]) - float(row["start"]) > 10
    ]
    assert len(held) >= 25
    assert {row["activity"] for row in held} == {"slow-headers"}


def test_the_beacon_beats_every_six_seconds_from_the_office_to_the_attacker(rows: list[Row]):
    starts = sorted(float(row["start"]) for row in labelled(rows, activity="http-beacon"))
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert len(starts) == 10
    assert {row["src"] for row in labelled(rows, activity="http-beacon")} == {OFFICE}
    assert all(3.5 < gap < 9.0 for gap in gaps)


def test_guessing_over_ssh_is_told_from_working_over_ssh(rows: list[Row]):
    shells = [row for row in rows if row["dport"] == "22" and row["proto"] == "tcp"]
    guessed = {(row["src"], row["dst"]) for row in labelled(shells, label="bruteforce")}
    assert guessed == {(ATTACKER, WEB), (LAPTOP, STORE)}
    worked = labelled(shells, label="benign")
    assert len(worked) > 10
    assert {row["src"] for row in worked} & {ATTACKER, LAPTOP}


def test_a_shell_goes_back_to_the_attacker_after_the_download(rows: list[Row]):
    steps = [row for row in labelled(rows, activity="break-in", proto="tcp") if row["dst"].startswith("198.18.101.")]
    assert {row["src"] for row in steps} == {LAPTOP}
    shells = [row for row in steps if float(row["end"]) - float(row["start"]) > 3.0]
    assert len(shells) == 1
    fetched = [row for row in steps if float(row["end"]) <= float(shells[0]["start"])]
    assert fetched
    assert {row["dport"] for row in fetched} != {shells[0]["dport"]}


@pytest.mark.parametrize("activity", sorted(WINDOWS))
def test_attacks_happen_when_the_profile_says(rows: list[Row], activity: str):
    first, last, length = WINDOWS[activity]
    found = labelled(rows, activity=activity)
    assert found
    starts = [float(row["start"]) - BEGINS_S for row in found]
    assert first - 0.5 <= min(starts) <= last + 2.0
    assert max(starts) <= last + length


def test_benign_and_attack_go_between_the_same_two_hosts(rows: list[Row]):
    between = Counter(row["label"] for row in rows if (row["src"], row["dst"]) == (ATTACKER, WEB))
    assert between["benign"] >= 5
    assert len(between) >= 5
