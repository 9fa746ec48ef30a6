"""The private world: what it asks for, what is its own, and that nothing of it stays."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed import bench
from tests.training.testbed.bench import Bench
from training.testbed import enclosure
from training.testbed.network import build
from training.testbed.world import RUN, USERS

InWorld = Callable[..., Any]


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch):
    real = shutil.which
    lacking = ("ethtool", "nmap", "tcpdump")
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None if name in lacking else real("sh"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    needs = {"nmap": "nmap", "curl": "curl"}
    assert "apt-get install ethtool nmap tcpdump" in " ".join(enclosure.missing(needs))
    assert "nmap" not in " ".join(enclosure.missing())
    with pytest.raises(NettrusionError, match=r"cannot record here: .*nmap"):
        enclosure.enclose(["check"], 1.0, needs=needs)


def test_root_is_asked_for_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert enclosure.missing() == ["it must run as root (it makes network namespaces and captures in them)"]


def test_furnishing_refuses_to_touch_the_machine_itself(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(NettrusionError, match="own namespaces"):
        enclosure.furnish(build())
    monkeypatch.setenv(enclosure.OUTSIDE, os.readlink("/proc/self/ns/mnt"))
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    with pytest.raises(NettrusionError, match="own namespaces"):
        enclosure.furnish(build())


def looked(bench: Bench, outside: str) -> dict[str, Any]:
    """Look around in the private world, and write wherever daemons write."""
    for place in ("/run", "/tmp", "/var/log", "/var/tmp", "/dev/shm", "/var/mail", "/run/lock"):
        Path(place, "left-behind").write_text("x")
    # A child whose parent has gone is the first process's, which has to bury it.
    subprocess.run(["sh", "-c", "(sh -c 'exit 3' & exec sleep 0.2) & exit 0"], check=True)
    until_s = time.monotonic() + 5
    while (zombies := states().count("Z")) and time.monotonic() < until_s:
        time.sleep(0.05)
    login = ["su", "-s", "/bin/sh", "ada", "-c", "id -un; cd && pwd; touch mine"]
    shadow = dict(line.split(":")[:2] for line in Path("/etc/shadow").read_text().splitlines())
    salt = shadow["guest"].split("$")[2]
    digest = ["openssl", "passwd", "-6", "-salt", salt, bench.world.passwords["guest"]]
    return {
        "resolv": Path("/etc/resolv.conf").read_text(),
        "homes": [(pwd.getpwnam(user).pw_dir, Path(pwd.getpwnam(user).pw_dir).stat().st_uid) for user in USERS],
        "login": subprocess.run(login, capture_output=True, text=True).stdout.split(),
        "nobody": pwd.getpwnam("nobody").pw_uid,
        "people": [entry.pw_name for entry in pwd.getpwall() if 1000 <= entry.pw_uid < 60000],
        "guest": subprocess.run(digest, capture_output=True, text=True).stdout.strip() == shadow["guest"],
        "locked": shadow["root"] == shadow["nobody"] == "*",
        "hostname": socket.gethostname(),
        "outside": os.path.exists(outside),
        "tmp": sorted(os.listdir("/tmp")),
        "zombies": zombies,
        "environment": sorted(os.environ),
        "log": [str(path) for path in Path("/var/log").rglob("*") if path.is_file()],
    }


def states() -> str:
    """Return the state letters of all processes that can be seen."""
    return subprocess.run(["ps", "-eo", "stat="], capture_output=True, text=True, check=True).stdout


def test_files_users_and_names_are_its_own(in_world: InWorld, tmp_path_factory: pytest.TempPathFactory):
    outside = tmp_path_factory.mktemp("other") / "file"
    outside.write_text("of the machine")
    found = in_world(looked, str(outside))
    assert found["resolv"].splitlines()[0] == f"nameserver {build().host('infra').v4}"
    assert found["homes"] == [[f"/run/testbed/home/{user}", 61001 + place] for place, user in enumerate(USERS)]
    assert found["login"] == ["ada", "/run/testbed/home/ada"]
    assert found["nobody"] == 65534 and found["people"] == []
    assert found["guest"] and found["locked"]
    assert found["hostname"] == "testbed"
    assert found["outside"] == (not outside.is_relative_to("/tmp"))
    assert found["zombies"] == 0
    assert found["environment"] == ["HOME", "LC_ALL", "PATH", "TERM"]
    assert found["log"] == ["/var/log/left-behind"]
    for place in ("/run", "/tmp", "/var/log", "/var/tmp", "/dev/shm", "/var/mail"):
        assert not Path(place, "left-behind").exists(), place
    assert "/run/testbed" not in Path("/etc/passwd").read_text()


def written(_: Bench) -> str:
    """Write nothing but the result."""
    return "kept"


@pytest.mark.parametrize("place", ["/var/tmp", "/dev/shm", "/run"])
def test_what_a_recording_leaves_is_kept_wherever_it_is_to_lie(repo: Path, place: str):
    if lacks := enclosure.missing():
        pytest.skip("a private world is not possible: " + "; ".join(lacks))
    with tempfile.TemporaryDirectory(dir=place) as folder:
        assert bench.call(written, (), Path(folder) / "new") == "kept"
        assert os.listdir(Path(folder) / "new") == ["written.json"]


def linger(bench: Bench, marker: str) -> None:
    """Start what could stay, say so, and wait for the end."""
    bench.start("desk", "setsid", "sleep", "1000")
    Path(marker).touch()
    time.sleep(1000)


OUTER = """
import sys
from pathlib import Path
from tests.training.testbed import bench
from tests.training.testbed.test_enclosure import linger
bench.call(linger, (sys.argv[1],), Path(sys.argv[1]).parent, limit_s=float(sys.argv[2]))
"""


def members(marker: str) -> set[int]:
    """Return the processes of the private world that was started with this marker among its arguments."""
    spaces: dict[int, str] = {}
    marked = set()
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            spaces[int(number)] = os.readlink(f"/proc/{number}/ns/pid")
            if marker.encode() in Path(f"/proc/{number}/cmdline").read_bytes():
                marked.add(spaces[int(number)])
        except OSError:  # it has gone meanwhile, or is none of ours
            continue
    marked -= {os.readlink("/proc/self/ns/pid")}
    return {number for number, space in spaces.items() if space in marked}


@pytest.mark.parametrize("end", ["kill", "limit"])
def test_it_ends_with_its_starter_or_at_its_limit_and_leaves_nothing(repo: Path, tmp_path: Path, end: str):
    if lacks := enclosure.missing():
        pytest.skip("a private world is not possible: " + "; ".join(lacks))
    mounts = Path("/proc/self/mounts").read_text()
    marker = tmp_path / "up"
    words = [sys.executable, "-c", OUTER, str(marker), "1000" if end == "kill" else "20"]
    with subprocess.Popen(words, cwd=repo, stderr=subprocess.PIPE, text=True) as outer:
        assert outer.stderr is not None
        until_s = time.monotonic() + 30
        while not marker.exists() and outer.poll() is None and time.monotonic() < until_s:
            time.sleep(0.05)
        assert marker.exists(), outer.stderr.read()
        inner = members(str(tmp_path))
        assert len(inner) > 10  # the shell, Python, the wires and the sleeper
        if end == "kill":
            outer.send_signal(signal.SIGKILL)
        said = outer.stderr.read() if end == "limit" else ""
        outer.wait(30)
    if end == "limit":
        assert "was stopped: it was not done after 20 s" in said
    until_s = time.monotonic() + 10
    while (left := {pid for pid in inner if Path(f"/proc/{pid}/ns/pid").is_symlink()}) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not left
    assert Path("/proc/self/mounts").read_text() == mounts
    assert not RUN.exists()
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert "desk" not in names.stdout.split()
    assert not [name for name in os.listdir("/sys/class/net") if name.startswith(("to-", "at-"))]
