"""The shim in real programs: what each opens is logged, and tcpdump saw nothing that it did not log."""

import gzip
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed import evidence, labels, packets, retime, sockets
from training.testbed.labels import Labels, Played, Story
from training.testbed.nat import Translation
from training.testbed.packets import Tuple5
from training.testbed.programs import Run
from training.testbed.sockets import Socket

NEEDED = {
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "dnsmasq": "dnsmasq-base",
    "hping3": "hping3",
    "nmap": "nmap",
    "ping": "iputils-ping",
    "ssh": "openssh-client",
    "tcpdump": "tcpdump",
    "tshark": "tshark",
    "unshare": "util-linux",
}
V4, V6 = ("10.9.0.1", "10.9.0.2"), ("fd09::1", "fd09::2")
# Two hosts on one cable; the second resolves names and serves pages over both protocols.
STAGE = """
set -eu
cd {folder}
mount -t tmpfs none /run
echo 'nameserver 10.9.0.2' >resolv; echo 'options timeout:1 attempts:2' >>resolv
mount --bind resolv /etc/resolv.conf
unshare --net sleep 100 & B=$!
sleep 0.3
there="nsenter -t $B -n"
ip link add va type veth peer name vb netns $B
for end in "1 va" "2 vb"; do
    set -- $end
    at=""; test $1 = 1 || at=$there
    $at ip link set lo up
    $at ip link set $2 address 02:00:00:00:00:0$1
    $at ip address add 10.9.0.$1/24 dev $2
    $at ip address add fd09::$1/64 dev $2 nodad
    $at ip link set $2 up
done
ip route add default via 10.9.0.2
tcpdump -i va -w raw.pcap -s 192 --immediate-mode -n -Z root 2>tcpdump.log & T=$!
log() {{ number=$1; shift; env LD_PRELOAD={shim} TESTBED_SOCKETS={log} TESTBED_RUN=$number "$@"; }}
log 1 $there dnsmasq -k --no-resolv --no-hosts --address=/web.test/10.9.0.2 --address=/web.test/fd09::2 --pid-file= &
log 2 $there {python} -m http.server --bind :: 80 >pages.log 2>&1 &
while ! $there {python} -c 'import socket; socket.create_connection(("fd09::2", 80))' 2>/dev/null; do :; done
act() {{ echo "$*" >>acts; log "$@" >>said 2>&1 || true; }}
{acts}
sleep 0.2
kill -INT $T
wait $T || true
"""
TALKER = """
import socket
for family, to in ((socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2"), (socket.AF_INET6, "::ffff:10.9.0.2")):
    for port in (80, 81):
        with socket.socket(family) as tcp:
            tcp.connect_ex((to, port))
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", (to, 5000))
        udp.sendmsg([b"y"], [], 0, (to, 5001))
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.connect((to, 5002))
        udp.send(b"z")
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for to in ("255.255.255.255", "10.9.0.255", "224.0.0.251"):
        udp.sendto(b"x", (to, 6000))
"""
# What each act does, and how many conversations of which protocol it must have (None: some).
ACTS: dict[int, tuple[str, dict[str, int | None]]] = {
    10: ("curl -4 -s -o page http://web.test/", {"udp": None, "tcp": 1}),
    11: ("curl -6 -s -o page http://web.test/", {"udp": None, "tcp": 1}),
    12: ("dig +tries=1 +time=1 @10.9.0.2 a.web.test", {"udp": 1}),
    13: ("dig +tcp +tries=1 +time=1 @fd09::2 a.web.test", {"tcp": 1}),
    14: ("nmap -n -Pn -sS -p 70-89 10.9.0.2", {"tcp": None}),
    15: ("nmap -n -Pn -sT -p 70-89 10.9.0.2", {"tcp": None}),
    16: ("nmap -n -Pn -sU -p 53,5000 --max-retries 1 10.9.0.2", {"udp": None, "icmp": None}),
    17: ("nmap -n -Pn -sF -p 80,81 -T5 10.9.0.2", {"tcp": None}),
    18: ("nmap -6 -n -Pn -sS -p 79,80 fd09::2", {"tcp": None}),
    19: ("nmap -n -Pn -sS -f -p 80,81 10.9.0.2", {"tcp": None}),
    20: ("hping3 -S -p 80 -c 20 -i u1000 10.9.0.2", {"tcp": None}),
    21: ("timeout 2 hping3 -S -p 80 --rand-source -c 40 -i u1000 10.9.0.2", {"tcp": None}),
    22: ("hping3 --udp -p 99 -c 4 -i u1000 10.9.0.2", {"udp": None, "icmp": None}),
    23: ("hping3 --icmp -c 4 -i u1000 10.9.0.2", {"icmp": 1}),
    24: ("ping -n -c 2 -i 0.2 10.9.0.2", {"icmp": 1}),
    25: ("ping -n -c 2 -i 0.2 fd09::2", {"icmp6": 1}),
    26: ("ssh -o BatchMode=yes -o ConnectTimeout=1 10.9.0.2 true", {"tcp": 1}),
    27: ("{python} {talker}", {"tcp": 6, "udp": 12, "icmp": None, "icmp6": None}),
    28: ("bash -c 'exec 3<>/dev/tcp/10.9.0.2/80; echo >&3'", {"tcp": 1}),
    29: ("timeout -s KILL 0.3 {python} -c 'import socket; socket.create_connection((\"10.99.0.1\", 1))'", {"tcp": 1}),
}


def play(folder: Path) -> tuple[packets.Capture, list[Socket], Story]:
    """Play all acts on a stage of their own; return what tcpdump and the programs saw, and who they were."""
    lacks = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if os.geteuid():
        pytest.skip("network namespaces need root")
    if lacks:
        pytest.skip(f"programs are missing: apt-get install {' '.join(lacks)}")
    talker, log = folder / "talker.py", folder / "sockets.csv"
    talker.write_text(TALKER)
    shim = sockets.build(folder)
    sockets.environment(shim, log, 1)
    words = {number: act[0].format(python=sys.executable, talker=talker) for number, act in ACTS.items()}
    acts = "\n".join(f"act {number} {command}" for number, command in words.items())
    script = STAGE.format(folder=folder, shim=shim, log=log, python=sys.executable, acts=acts)
    enclosed = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script]
    done = subprocess.run(enclosed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {1: Run(1, 0, "dnsmasq", "b", "", 0, 1 << 62, 0), 2: Run(2, 0, "python3", "b", "", 0, 1 << 62, 0)}
    for number, command in words.items():
        runs[number] = Run(number, number, command.split()[0], "a", command, 0, 1 << 62, 0)
    lines = sockets.read(log)
    began = {line.run: line.time_ns for line in reversed(lines)}
    played = {
        number: Played(number, f"kind{number}", "scan", "a", began[number] + number * 10**12, began[number], 1 << 62)
        for number in ACTS
    }
    addresses = {"a": frozenset({V4[0], V6[0]}), "b": frozenset({V4[1], V6[1]})}
    return packets.load(folder / "raw.pcap"), lines, Story(played, runs, {1: "dns", 2: "web"}, addresses)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[packets.Capture, list[Socket], Story, Labels]:
    capture, lines, story = play(tmp_path_factory.mktemp("stage"))
    return capture, lines, story, labels.label(capture, lines, story)


def test_every_conversation_of_real_programs_has_its_owner(played):
    counted = Counter((row.run, row.talk.key.protocol) for row in played[3])
    for number, (command, wanted) in ACTS.items():
        found = {protocol: count for (run, protocol), count in counted.items() if run == number}
        assert found.keys() == wanted.keys(), f"{command}: {found}"
        assert all(found[name] == count for name, count in wanted.items() if count is not None), f"{command}: {found}"
    assert {row.activity for row in played[3] if row.act == 0} == {"kernel"}


def test_the_scanned_ports_are_the_ones_that_the_command_names(played):
    for run in (14, 15):
        asked = {row.talk.key.dport for row in played[3] if row.run == run}
        assert asked == set(range(70, 90))


def test_a_connection_is_logged_before_its_program_can_be_killed(played):
    (row,) = [row for row in played[3] if row.run == 29]
    assert row.line is not None
    assert (row.line.kind, row.talk.key.dst, row.talk.packets[1]) == ("connect", "10.99.0.1", 0)


def test_the_moved_recording_tells_the_same_story_and_tshark_agrees(played, tmp_path: Path):
    capture, lines, story, rows = played
    settled = retime.settle(capture, rows, lines, story)
    pcap, log = tmp_path / "v.pcap.gz", tmp_path / "v.sockets.csv.gz"
    assert retime.write_capture(pcap, settled, 192)["packets"] == len(capture)
    sockets.write(log, settled.lines)
    assert labels.text(labels.follow(pcap, log, settled.story)) == labels.text(settled.rows)
    agreed = evidence.tshark(pcap, settled.rows)
    assert agreed["tshark tcp streams"] > 100
    began = {row.run: row.talk.start_ns for row in reversed(settled.rows) if row.run}
    assert sorted(began, key=lambda run: began[run]) == sorted(began)


def test_a_program_without_the_variables_runs_as_ever(tmp_path: Path):
    shim = sockets.build(tmp_path)
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9)); print('well')"
    for more in (
        {},
        {"TESTBED_RUN": "1", "TESTBED_SOCKETS": "/nowhere/log"},
        {"TESTBED_RUN": "x", "TESTBED_SOCKETS": "y"},
    ):
        env = {**os.environ, "LD_PRELOAD": str(shim), **more}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")


def test_loopback_is_left_out(tmp_path: Path):
    log = tmp_path / "log"
    env = {**os.environ, **sockets.environment(sockets.build(tmp_path), log, 3)}
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert sockets.read(log) == []


def test_no_compiler_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(NettrusionError, match="apt-get install gcc"):
        sockets.build(tmp_path)


def line(time_ns: int, run: int, key: Tuple5, kind: sockets.Kind = "connect") -> Socket:
    return Socket(time_ns, run, 7, kind, key)


WEB = Tuple5("tcp", "10.77.1.10", 40000, "10.77.9.10", 80)


def test_a_log_is_read_as_it_was_written(tmp_path: Path):
    lines = [line(5, 1, WEB), line(9, 2, Tuple5("tcp", "0.0.0.0", 21, "", 0), "listen")]
    path = tmp_path / "x.sockets.csv.gz"
    sockets.write(path, reversed(lines))
    assert sockets.read(path) == lines
    again = path.read_bytes()
    sockets.write(path, lines)
    assert path.read_bytes() == again
    assert gzip.decompress(again).decode().splitlines()[0] == ",".join(sockets.COLUMNS)


def test_an_intent_that_became_a_connection_is_forgotten(tmp_path: Path):
    path = tmp_path / "log"
    meant = "10,1,{pid},intent,tcp,0.0.0.0,0,10.77.9.10,80\n"
    path.write_text(meant.format(pid=7) + "10,1,7,connect,tcp,10.77.1.10,1,10.77.9.10,80\n" + meant.format(pid=8))
    assert [(one.kind, one.pid) for one in sockets.read(path)] == [("connect", 7), ("intent", 8)]


@pytest.mark.parametrize("bad", ["1,2,3", "x,1,2,connect,tcp,a,1,b,2", "1,1,2,gossip,tcp,a,1,b,2"])
def test_a_line_that_is_none_is_named(tmp_path: Path, bad: str):
    path = tmp_path / "log"
    path.write_text(f"5,1,7,connect,tcp,10.77.1.10,1,10.77.9.10,80\n{bad}\n")
    with pytest.raises(NettrusionError, match="log has a line"):
        sockets.read(path)


def test_behind_the_gateway_a_line_stands_with_the_gateways_address_too():
    rows = [
        Translation(20, 6, "10.77.1.10", 40000, "10.77.40.10", 61000, "10.77.9.10", 80),
        Translation(21, 6, "10.77.1.10", 40001, "10.77.40.10", 61001, "10.77.9.10", 80),
    ]
    lines = [line(5, 1, WEB), line(30, 2, WEB)]
    made = [one for one in sockets.translated(lines, rows, {}) if one.kind == "nat"]
    assert made == [Socket(5, 1, 7, "nat", Tuple5("tcp", "10.77.40.10", 61000, "10.77.9.10", 80))]
