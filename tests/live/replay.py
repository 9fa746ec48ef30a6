"""Captures over a cable, by tcpreplay, and what went over it as tcpdump saw it."""

import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.cable import Cable

MTU = 9000


def replay(cable: Cable, capture: Path, *words: str) -> float:
    """Send a capture from the far end and return for how many seconds it ran.

    `words` are tcpreplay's, such as --multiplier=2.
    """
    if not shutil.which("tcpreplay"):
        pytest.skip("replaying a capture needs the program tcpreplay")
    cable.run("sensor", "ip", "link", "set", cable.interface, "mtu", str(MTU))
    cable.run("far", "ip", "link", "set", cable.far_interface, "mtu", str(MTU))
    command = cable.command("far", "tcpreplay", "-q", "-i", cable.far_interface, *words, str(capture))
    begun_s = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    ran_s = time.monotonic() - begun_s
    assert done.returncode == 0, done.stderr
    assert "Failed packets:            0" in done.stdout, done.stdout
    return ran_s


def filled_up(capture: Path, into: Path) -> Path:
    """Return a capture whose packets, where they were cut to a snap length, are as long again as on their wire."""
    if not shutil.which("tcprewrite"):
        pytest.skip("replaying a capture needs the program tcprewrite (package tcpreplay)")
    words = ("tcprewrite", "--fixlen=pad", f"--infile={capture}", f"--outfile={into}")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return into


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


# A flow that was open when the last packet came ends with the sensor, or a moment before it, when its idle time is up.
OPEN = ("timeout", "shutdown")
# By state, in seconds, and a little over: what the configuration sets when nothing is set.
PATIENCE = {state: timedelta(seconds=s + 2) for state, s in {"closed": 5, "new": 60, "established": 120}.items()}

# What a replay cannot keep, or what depends on where the packets were seen.
PLACES = ("in_iface", "pcap_filename", "host")
TIMES = ("timestamp", "flow_id")


def flows(
    events: Iterable[Mapping[str, Any]], *, times: bool, alerted: bool = True, scores: bool = True
) -> Counter[str]:
    """Return flow events as they can be compared, with their scores; without `times`, what time does not touch.

    `alerted` is whether an alert was written for this very flow: of an incident that spans hosts one flow is told,
    and which one it is hangs on the order in which workers hand theirs over. `scores` is what the detector said.
    """
    found: Counter[str] = Counter()
    told = [event for event in events if event["event_type"] == "flow"]
    last = max((_end(event) for event in told), default=datetime.min)
    for event in told:
        left_out = {*PLACES} if times else {*PLACES, *TIMES, "metadata"}
        left_out |= set() if scores else {"metadata"}
        # A file ends where a wire goes on, so the reason of what was open then is another.
        untimed = {"start", "end", "age", "alerted", "reason"}
        inner = untimed if not times else set() if alerted else {"alerted"}
        kept = {key: value for key, value in event.items() if key not in left_out}
        kept["flow"] = {key: value for key, value in event["flow"].items() if key not in inner}
        if times and kept["flow"]["reason"] in OPEN and _end(event) + PATIENCE[event["flow"]["state"]] >= last:
            kept["flow"]["reason"] = "open with the last packet"
        found[repr(sorted(kept.items()))] += 1
    return found


def _end(event: Mapping[str, Any]) -> datetime:
    """Return the time of a flow's last packet."""
    return datetime.strptime(event["flow"]["end"], "%Y-%m-%dT%H:%M:%S.%f%z").replace(tzinfo=None)


def alerts(events: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return alert events as they can be compared, to the last digit."""
    return Counter(
        repr(sorted((key, value) for key, value in event.items() if key not in PLACES))
        for event in events
        if event["event_type"] == "alert"
    )


def incidents(events: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return the first alerts of incidents, by what fired and whose doing it was; later words are left out."""
    return Counter(
        f"{event['alert']['signature_id']} {event['src_ip']}"
        for event in events
        if event["event_type"] == "alert" and "ml_incident_flows" not in event["alert"]["metadata"]
    )


def score_changes(
    ours: Iterable[Mapping[str, Any]], theirs: Iterable[Mapping[str, Any]], *, times: bool = False
) -> list[int]:
    """Return how far the scores of flows that are equal lie apart, in per mille, for each pair.

    Equal are flows that are so times aside, or with `times` to the last digit.
    """
    apart: list[int] = []
    left, right = _scores(ours, times), _scores(theirs, times)
    for key in left.keys() & right.keys():
        apart += [abs(one - other) for one, other in zip(left[key], right[key], strict=False)]
    return apart


def _scores(events: Iterable[Mapping[str, Any]], times: bool) -> dict[str, list[int]]:
    scores: dict[str, list[int]] = {}
    for event in events:
        for key in flows([event], times=times, alerted=False, scores=False):
            scores.setdefault(key, []).append(event["metadata"]["flowints"]["ml_score"])
    return {key: sorted(values) for key, values in scores.items()}
