"""The capture: each packet once, the router's own too, and no silence about drops."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from tests.training.testbed.bench import Bench
from training.testbed import capture
from training.testbed.capture import Capture

InWorld = Callable[..., Any]
RECORD = re.compile(r"^\S+ (\S+) (\S+) > (\S+): (.*)$")


def recorded(bench: Bench) -> dict[str, Any]:
    """Fetch a page, ask for a host that is not there, and read the capture."""
    web, desk = bench.world.host("web"), bench.world.host("desk")
    bench.start("web", sys.executable, "-m", "http.server", "--bind", "::", "80")
    while ":80 " not in bench.bound("web", "t"):
        time.sleep(0.05)
    with Capture(bench.network.capture_links(), Path("/run/testbed/capture"), 96) as running:
        bench.run("desk", "curl", "-sf", "-o", "/dev/null", f"http://{web.v4}/")
        bench.run("desk", "ping", "-c", "1", "-W", "1", "10.77.250.10")
        bench.run("desk", "ping", "-c", "1", "-W", "1", bench.world.host("store").v4)
        bench.run("desk", "ping", "-c", "1", "-t", "1", "-W", "1", web.v6)
        heard = running.stop()
    listed = {}
    longest = 0
    for one in heard:
        words = ["tcpdump", "-n", "-r", str(one.path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        listed[one.link] = done.stdout.splitlines()
        longest = max(longest, int(done.stderr.split("snapshot length ")[1].split()[0]))
    counts = {one.link: one.packets for one in heard}
    left = subprocess.run(["pgrep", "tcpdump"], capture_output=True, text=True).stdout
    return {"listed": listed, "counts": counts, "snap": longest, "desk": desk.v4, "web": web.v4, "left": left}


def test_each_packet_is_there_once_and_the_routers_own_too(in_world: InWorld):
    found = in_world(recorded)
    listed = found["listed"]
    assert {link: len(lines) for link, lines in listed.items()} == found["counts"]
    assert found["snap"] == 96 and found["left"] == ""

    def where(text: str) -> set[str]:
        return {link for link, lines in listed.items() for line in lines if text in line}

    assert where("Flags [S],") == {"to-desk"}
    assert where("Flags [S.],") == {"to-web"}
    assert where("10.77.1.1 > 10.77.1.10: ICMP net 10.77.250.10 unreachable") == {"to-desk"}
    assert where("fd77:1::1 > fd77:1::10: ICMP6, time exceeded") == {"to-desk"}
    assert where("who-has 10.77.1.1 tell 10.77.1.10") == {"to-desk"}
    assert where("10.77.1.1 is-at") == {"to-desk"}
    assert where("who-has 10.77.11.10 tell 10.77.11.1,") == {"to-store"}
    assert where("10.77.1.10 > 10.77.11.10: ICMP echo request") == {"to-desk"}
    assert where("10.77.11.10 > 10.77.1.10: ICMP echo reply") == {"to-store"}


def test_without_addresses_only_what_arrives_is_taken():
    assert capture.command("to-web", [], Path("x"), 192)[-2:] == ["-Q", "in"]


FAKE = """
import signal, sys
def end(*_):
    print("12 packets captured\\n15 packets received by filter\\n3 packets dropped by kernel", file=sys.stderr)
    sys.exit(0)
signal.signal(signal.SIGINT, end)
print("tcpdump: listening on x, link-type EN10MB", file=sys.stderr, flush=True)
signal.pause()
"""


def test_packets_that_the_kernel_dropped_fail_the_recording(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(capture, "command", lambda *_: [sys.executable, "-c", FAKE])
    with Capture({"to-web": []}, tmp_path) as running, pytest.raises(NettrusionError, match="3 on to-web"):
        running.stop(0)


def test_a_capture_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(capture, "command", lambda *_: ["sh", "-c", "echo no such device >&2; exit 1"])
    with pytest.raises(NettrusionError, match="no such device"), Capture({"to-web": []}, tmp_path):
        pass


def test_an_error_meanwhile_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(capture, "command", lambda *_: [sys.executable, "-c", FAKE])
    running = Capture({"to-web": []}, tmp_path)
    with pytest.raises(KeyError), running:
        number = running._running["to-web"].pid
        raise KeyError
    assert not os.path.exists(f"/proc/{number}")
