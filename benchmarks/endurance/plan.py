"""Attack connections of real captures, each between hosts of its own, spread over time."""

import json
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.captures import ROOT
from benchmarks.endurance.timed import timed
from tests.packets import Timed

CLIENTS, SERVERS = "10.70.0.0", "10.71.0.0"
SLACK_NS = 2_000


@dataclass(frozen=True, slots=True)
class Connection:
    """The packets of one connection up to the one that ended it: ns since its first, and the frame."""

    kind: str
    packets: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be sent, in time's order, and for each connection by number its kind and its last packet's place."""

    packets: list[Timed]
    kinds: list[str]
    lasts: list[int]


def attacks(capture: Path, folder: Path) -> list[Connection]:
    """Return the connections of a capture that were closed and that the detector holds for attacks, by themselves."""
    events = folder / "scored.json"
    events.unlink(missing_ok=True)
    words = [sys.executable, "-m", "sensor.cli", "score", "--flows", "-o", str(events), str(capture)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    packets = list(timed(_classic(capture, folder).read_bytes()))
    made = []
    for line in events.read_text().splitlines():
        event = json.loads(line)
        bits = event.get("metadata", {}).get("flowbits", [])
        if event["event_type"] == "flow" and bits and event.get("tcp", {}).get("state") == "closed":
            own = _packets(packets, event)
            if own:
                made.append(Connection(bits[-1].removeprefix("ml."), own))
    return made


def _classic(capture: Path, folder: Path) -> Path:
    """Return a capture as a classic pcap of microseconds."""
    path = folder / "classic.pcap"
    subprocess.run(["tcpdump", "-r", str(capture), "-w", str(path)], check=True, capture_output=True)
    return path


def _packets(packets: Sequence[tuple[int, bytes]], event: dict[str, Any]) -> tuple[tuple[int, bytes], ...]:
    """Return the packets of a flow event's connection, to be told apart by addresses, ports and time."""
    begin_ns, end_ns = _ns(event["flow"]["start"]), _ns(event["flow"]["end"])
    ends = _ends(event["src_ip"], event["src_port"]), _ends(event["dest_ip"], event["dest_port"])
    both = {_key(*ends), _key(*reversed(ends))}
    own = [
        (when_ns - begin_ns, frame)
        for when_ns, frame in packets
        if begin_ns - SLACK_NS <= when_ns <= end_ns + SLACK_NS and frame[26:38] in both
    ]
    whole = len(own) == event["flow"]["pkts_toserver"] + event["flow"]["pkts_toclient"]
    return tuple(own) if whole and own[0][1][26:30] == ends[0][0] else ()


def _ends(address: str, port: int) -> tuple[bytes, bytes]:
    return socket.inet_aton(address), struct.pack(">H", port)


def _key(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> bytes:
    """Return bytes 26 to 37 of an IPv4 TCP frame without options: addresses, then ports."""
    return one[0] + other[0] + one[1] + other[1]


def _ns(stamp: str) -> int:
    moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z")
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def host(base: str, number: int) -> bytes:
    """Return one of 65,536 addresses."""
    return socket.inet_aton(base)[:2] + struct.pack(">H", number)


def spread(connections: Sequence[Connection], count: int, over_s: float, speed: float, seed: int = 1) -> Planned:
    """Begin `count` connections at random times, drawn in turn, each between two hosts that no other has."""
    chance = random.Random(seed)
    laid: list[tuple[int, int, int, bytes]] = []
    kinds = []
    for number in range(count):
        connection = connections[number % len(connections)]
        kinds.append(connection.kind)
        begin_ns = int(chance.random() * over_s * 1e9)
        client, server = host(CLIENTS, number), host(SERVERS, number)
        first = connection.packets[0][1][26:30]
        for place, (after_ns, frame) in enumerate(connection.packets):
            ends = client + server if frame[26:30] == first else server + client
            laid.append((begin_ns + int(after_ns / speed), number, place, frame[:26] + ends + frame[34:]))
    laid.sort()
    lasts = [0] * count
    for at, (_, number, _, _) in enumerate(laid):
        lasts[number] = at
    return Planned([Timed(when_ns, frame) for when_ns, _, _, frame in laid], kinds, lasts)
