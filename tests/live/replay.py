"""Captures over a cable, by tcpreplay, and what went over it as tcpdump saw it."""

import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.cable import Cable

MTU = 9000


def replay(cable: Cable, capture: Path, *words: str) -> None:
    """Send a capture from the far end; `words` are tcpreplay's, such as --multiplier=2."""
    if not shutil.which("tcpreplay"):
        pytest.skip("replaying a capture needs the program tcpreplay")
    for side, interface in (("sensor", cable.interface), ("far", cable.far_interface)):
        cable.run(side, "ip", "link", "set", interface, "mtu", str(MTU))
    command = cable.command("far", "tcpreplay", "-q", "-i", cable.far_interface, *words, str(capture))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, done.stderr
    assert "Failed packets:            0" in done.stdout, done.stdout


@contextmanager
def recorded(cable: Cable, path: Path) -> Iterator[None]:
    """Record what arrives at the near end with tcpdump, nanoseconds and whole packets."""
    if not shutil.which("tcpdump"):
        pytest.skip("recording needs the program tcpdump")
    words = ("tcpdump", "-n", "-p", "-U", "-i", cable.interface, "-s", "0", "-B", "65536")
    command = cable.command("sensor", *words, "--time-stamp-precision=nano", "-w", str(path))
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"listening" in process.stderr.readline()
    try:
        yield
        time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert b"0 packets dropped by kernel" in said, said


# What a replay cannot keep, or what depends on where the packets were seen.
PLACES = ("in_iface", "pcap_filename", "host")
TIMES = ("timestamp", "flow_id")


def flows(events: Iterable[Mapping[str, Any]], *, times: bool) -> Counter[str]:
    """Return flow events as they can be compared, with their scores; without `times`, what time does not touch."""
    found: Counter[str] = Counter()
    for event in events:
        if event["event_type"] != "flow":
            continue
        kept = {key: value for key, value in event.items() if key not in PLACES}
        if not times:
            kept = {key: value for key, value in kept.items() if key not in (*TIMES, "metadata")}
            kept["flow"] = {
                key: value for key, value in event["flow"].items() if key not in ("start", "end", "age", "alerted")
            }
        found[repr(sorted(kept.items()))] += 1
    return found


def alerts(events: Iterable[Mapping[str, Any]], *, times: bool) -> Counter[str]:
    """Return alert events as they can be compared; without `times`, which signature fired between whom."""
    found: Counter[str] = Counter()
    for event in events:
        if event["event_type"] != "alert":
            continue
        if times:
            found[repr(sorted((key, value) for key, value in event.items() if key not in PLACES))] += 1
        else:
            found[f"{event['alert']['signature_id']} {event['src_ip']} {event['dest_ip']}"] += 1
    return found
