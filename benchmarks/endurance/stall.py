"""Outputs that stop taking events for a minute under load: a socket and a pipe whose readers stop reading."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.endurance.kill import sending
from benchmarks.endurance.process import Sampler
from benchmarks.endurance.report import table
from tests.live.cable import laid
from tests.live.sensor import Sensor

BEFORE_S, AFTER_S = 5.0, 10.0
QUEUE_MB = 2
LOOK_S = 2.0
_OUTPUT = re.compile(r"output (\w+): (.*)")


class Reader(threading.Thread):
    """Reads lines from a socket or a pipe, except while it stalls."""

    def __init__(self, opened: Callable[[], int]) -> None:
        """Begin to read what `opened` returns, which may wait for the writer."""
        super().__init__(daemon=True)
        self.lines = 0
        self.torn = 0
        self.takes = threading.Event()
        self.takes.set()
        self._opened = opened
        self.start()

    def run(self) -> None:
        """Read to the end."""
        file = self._opened()
        rest = b""
        while self.takes.wait() and (data := os.read(file, 65536)):
            *lines, rest = (rest + data).split(b"\n")
            self.lines += len(lines)
            self.torn += sum(not _whole(line) for line in lines)
        self.torn += bool(rest)


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def run(folder: Path, seconds: float, rate: int) -> dict[str, Any]:
    """Stall for so long under so many connections a second."""
    at = {"slow": folder / "slow.sock", "pipe": folder / "pipe"}
    for path in at.values():
        path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(at["slow"]))
    server.listen()
    os.mkfifo(at["pipe"])
    readers = {
        "slow": Reader(lambda: server.accept()[0].detach()),
        "pipe": Reader(lambda: os.open(at["pipe"], os.O_RDONLY)),
    }
    words = ["--set", 'sinks.eve.type="file"', "--set", f'sinks.eve.path="{folder / "stall.json"}"']
    for name, kind in (("slow", "unix_stream"), ("pipe", "file")):
        words += ["--set", f'sinks.{name}.type="{kind}"', "--set", f'sinks.{name}.path="{at[name]}"']
        words += ["--set", f"sinks.{name}.queue_mb={QUEUE_MB}"]
    looks: list[tuple[str, dict[str, dict[str, int]]]] = []
    with laid() as cable, Sensor(cable, folder, *words, name="stall") as sensor, server:
        with Sampler(sensor.process.pid, 1.0) as sampler, sending(cable, folder / "sent.txt", 0, rate):
            for phase, length in (("before", BEFORE_S), ("stalled", seconds), ("after", AFTER_S)):
                for reader in readers.values():
                    (reader.takes.clear if phase == "stalled" else reader.takes.set)()
                until_s = time.monotonic() + length
                while time.monotonic() < until_s:
                    time.sleep(min(LOOK_S, length))
                    looks.append((phase, looked(sensor)))
        code = sensor.stop()
    for reader in readers.values():
        reader.join(10)
    return summary(sensor, readers, looks, {"seconds": seconds, "connections_per_s": rate, "exit_code": code}, sampler)


def looked(sensor: Sensor) -> dict[str, dict[str, int]]:
    """Have the sensor say how it is, and return the counters of its outputs."""
    before = sensor.said().count("\nalerts ")
    sensor.send(signal.SIGUSR1)
    until_s = time.monotonic() + 10
    while sensor.said().count("\nalerts ") == before and time.monotonic() < until_s:
        time.sleep(0.05)
    time.sleep(0.05)
    return outputs(sensor.said())


def outputs(said: str) -> dict[str, dict[str, int]]:
    """Return the counters of every output that a log told last."""
    found = {}
    for name, counts in _OUTPUT.findall(said):
        if ", bytes " not in counts:
            continue
        pairs = (part.rsplit(" ", 1) for part in re.split(r", (?=[a-z])", counts))
        found[name] = {key: int(value.replace(",", "")) for key, value in pairs}
    return found


def summary(
    sensor: Sensor,
    readers: dict[str, Reader],
    looks: Sequence[tuple[str, dict[str, dict[str, int]]]],
    facts: dict[str, Any],
    sampler: Sampler,
) -> dict[str, Any]:
    """Print and return what the stall did."""
    written = (sensor.output.parent / "stall.json").read_bytes().splitlines(keepends=True)
    stats = [event["stats"] for event in map(json.loads, written) if event["event_type"] == "stats"][-1]
    last = outputs(sensor.said())
    made = {
        **facts,
        "kernel_packets": stats["capture"]["kernel_packets"],
        "kernel_drops": stats["capture"]["kernel_drops"],
        "lines_of_eve": len(written),
        "dropped_of_eve": last["eve"]["dropped_lines"],
    }
    for name, reader in readers.items():
        queued = [counts[name]["queued_bytes"] for _, counts in looks if name in counts]
        made |= {
            f"{name}_lines_read": reader.lines,
            f"{name}_lines_torn": reader.torn,
            f"{name}_dropped": last[name]["dropped_lines"],
            f"{name}_unaccounted": len(written) - reader.lines - last[name]["dropped_lines"],
            f"{name}_queue_mb_most": max(queued) / 2**20,
            f"{name}_queue_mb_last": queued[-1] / 2**20,
        }
    sizes = [sample.rss_kb / 1024 for sample in sampler.samples]
    made |= {
        "queue_mb_bound": QUEUE_MB,
        "rss_mb_first_most_last": [round(value, 1) for value in (sizes[0], max(sizes), sizes[-1])],
        "log": [line for line in sensor.said().splitlines() if "WARNING" in line or "ERROR" in line],
    }
    table("stall", made)
    return made
