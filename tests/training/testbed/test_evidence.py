"""The servers' logs and tshark confirm labels or contradict them."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.frames import ACK, RST, SYN, SYN_ACK, capture, tcp, udp
from training.testbed import packets
from training.testbed.evidence import servers, tshark
from training.testbed.labels import Labelled
from training.testbed.packets import Conversation, Tuple5

HOST, SERVER = "10.77.3.10", "10.77.9.10"


def row(sport: int, dport: int, label: str, tool: str, src: str = HOST) -> Labelled:
    talk = Conversation(Tuple5("tcp", src, sport, SERVER, dport), 0, 1, [1, 1], [60, 60])
    return Labelled(talk, label, "kind", tool, 1, 1, "desk")


ROWS = [
    row(1, 80, "benign", "curl"),
    row(2, 80, "bruteforce", "hydra"),
    row(3, 80, "slowdos", "slowhttptest"),
    row(4, 22, "benign", "ssh"),
    row(5, 22, "bruteforce", "hydra"),
    row(6, 5432, "benign", "psql"),
    row(7, 143, "benign", "mail.py", "fd77:1::10"),
    row(8, 25, "benign", "mail.py"),
]
LINES = """\
1795336326.553 10.77.3.10 1 80 200 "curl/7.88.1" "GET / HTTP/1.1"
1795336326.553 10.77.3.10 2 80 401 "Mozilla/4.0 (Hydra)" "GET / HTTP/1.0"
1795336326.553 10.77.3.10 3 80 408 "Mozilla/5.0 (Macintosh)" ""
1795336326.553 127.0.0.1 9 80 200 "curl/7.88.1" "GET /status HTTP/1.1"
Accepted publickey for ada from 10.77.3.10 port 4 ssh2: ED25519
Failed password for invalid user root from ::ffff:10.77.3.10 port 5 ssh2
Connection closed
2026-11-22 08:00:00 UTC 10.77.3.10(6) [unknown] LOG:  connection received: host=10.77.3.10 port=6
Nov 22 08:00:00 imap-login: Info: Login: user=<ada> fd77:1::10:7 TLS
Nov 22 08:00:00 infra postfix/smtpd[12]: connect from desk.home.test[10.77.3.10]:8
"""


def logs(folder: Path, text: str) -> dict[str, Sequence[Path]]:
    (folder / "log").write_text(text)
    return {"nginx": [folder / "log"], "git": [folder / "log"]}


def test_agreeing_lines_are_counted_by_server_and_label(tmp_path: Path):
    assert servers(ROWS, logs(tmp_path, LINES)) == {
        "dovecot benign": 1,
        "nginx benign": 1,
        "nginx bruteforce": 1,
        "nginx slowdos": 1,
        "postfix benign": 1,
        "postgres benign": 1,
        "sshd benign": 1,
        "sshd bruteforce": 1,
    }


@pytest.mark.parametrize(
    "line",
    [
        '1.5 10.77.3.10 1 80 200 "Mozilla/4.0 (Hydra)" "GET / HTTP/1.1"',
        '1.5 10.77.3.10 2 80 200 "curl/7.88.1" "GET / HTTP/1.1"',
        '1.5 10.77.3.10 9 80 200 "curl/7.88.1" "GET / HTTP/1.1"',
        '1.5 10.77.3.10 1 8080 200 "curl/7.88.1" "GET / HTTP/1.1"',
        "Failed password for ada from 10.77.3.10 port 6022 ssh2",
    ],
)
def test_a_line_that_the_labels_do_not_know_is_named(tmp_path: Path, line: str):
    with pytest.raises(NettrusionError, match=r"labels contradict .*log: .*10\.77\.3\.10"):
        servers(ROWS, logs(tmp_path, f"{line}\n"))


FRAMES = [
    (1_000_001, tcp(HOST, 1000, SERVER, 80, SYN, 5)),
    (1_000_002, tcp(SERVER, 80, HOST, 1000, SYN_ACK, 9)),
    (1_000_003, tcp(HOST, 1000, SERVER, 80, RST, 6)),
    (2_000_000, udp(HOST, 1000, SERVER, 53)),
    (3_000_000, tcp(HOST, 1000, SERVER, 80, SYN, 77)),
    (3_000_001, tcp(SERVER, 80, HOST, 1000, RST | ACK, 0)),
    (4_000_000, tcp(SERVER, 81, HOST, 1000, SYN_ACK, 3)),
]


def labelled(path: Path) -> list[Labelled]:
    return [Labelled(talk, "benign", "kind", "tool", 1, 1, "desk") for talk in packets.conversations(path)]


@pytest.fixture
def pcap(tmp_path: Path) -> Path:
    if not shutil.which("tshark"):
        pytest.skip("this needs the program tshark")
    return capture(tmp_path / "x.pcap", FRAMES)


def test_tshark_agrees_on_streams_times_and_packets(pcap: Path):
    assert tshark(pcap, labelled(pcap)) == {"tshark tcp streams": 3, "tshark udp streams": 1, "tshark packets": 7}


@pytest.mark.parametrize(
    ("place", "change"), [(0, "start_ns"), (2, "end_ns"), (1, "end_ns"), (1, "packets"), (3, "packets"), (2, "missing")]
)
def test_tshark_contradicts_every_other_row(pcap: Path, place: int, change: str):
    rows = labelled(pcap)
    talk = rows[place].talk
    if change == "missing":
        del rows[place]
    elif change == "packets":
        rows[place] = replace(rows[place], talk=replace(talk, packets=[talk.packets[0], talk.packets[1] + 1]))
    else:
        rows[place] = replace(rows[place], talk=replace(talk, **{change: getattr(talk, change) + 1000}))
    with pytest.raises(NettrusionError, match=r"contradict tshark about (tcp|udp) 10"):
        tshark(pcap, rows)


def test_a_row_that_tshark_does_not_know_is_an_error(pcap: Path):
    with pytest.raises(NettrusionError, match="tshark has nothing"):
        tshark(pcap, [*labelled(pcap), row(4, 4, "benign", "tool")])


def test_a_file_that_tshark_cannot_read_is_an_error(tmp_path: Path, pcap: Path):
    (tmp_path / "bad.pcap").write_bytes(b"no capture at all, this is")
    with pytest.raises(NettrusionError, match=r"tshark cannot read .*bad\.pcap"):
        tshark(tmp_path / "bad.pcap", [])
