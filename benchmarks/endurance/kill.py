"""kill -9 in the middle of writing, again and again: whether lines are whole, and what of the loss is told."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.endurance.connections import FIRST_CLIENT, SERVER
from benchmarks.endurance.report import table
from tests.live.cable import Cable, laid
from tests.live.sensor import Sensor

LOAD_S = 9.0
"""How long it runs before it is killed: longer than closed connections wait for stragglers."""
AIM_S = 3.0
SPAN = 200_000
"""Connections, numbered on, that one sensor may see at most."""
TOLD = "did not end in order"
NOTED = re.compile(r"(\d+) open flows, (\d+) waiting to be scored and (\d+) events")


@dataclass(frozen=True, slots=True)
class Killed:
    """One kill.

    Attributes:
        torn: whether the file ended within a line then.
        sent: connections sent since the start of that sensor.
        written: lines of connections of that sensor in the file.
        noted: the loss that the next start told, None if it did not.
    """

    torn: bool
    sent: int
    written: int
    noted: int | None


def run(folder: Path, times: int, rate: int) -> dict[str, Any]:
    """Kill a sensor so many times under so many connections a second."""
    state = folder / "state"
    state.mkdir(exist_ok=True)
    kills: list[Killed] = []
    with laid() as cable:
        for number in range(times + 1):
            sensor = Sensor(cable, folder, name="kill", env={"STATE_DIRECTORY": str(state)})
            before_bytes = sensor.log.stat().st_size if sensor.log.exists() else 0
            with sensor:
                said = sensor.log.read_bytes()[before_bytes:].decode()
                if kills:
                    kills[-1] = _told(kills[-1], said)
                if number == times:
                    code = sensor.stop()
                    break
                kills.append(_kill(cable, sensor, folder / "sent.txt", number * SPAN, rate))
                print(f"kill {number + 1}: {kills[-1]}", flush=True)
    return summary(sensor, kills, code, rate)


def _kill(cable: Cable, sensor: Sensor, log: Path, first: int, rate: int) -> Killed:
    """Send connections numbered from `first` on, and kill the sensor as its file grows."""
    with sending(cable, log, first, rate):
        time.sleep(LOAD_S)
        killed_s = _as_it_writes(sensor)
        sensor.process.wait()
        time.sleep(0.3)
    whole = sensor.output.read_bytes()
    return Killed(not whole.endswith(b"\n"), sent_by(log, killed_s) - first, written(sensor, first), None)


def _as_it_writes(sensor: Sensor) -> float:
    """Kill when the file has just begun to grow; return the Unix time."""
    until_s = time.monotonic() + AIM_S
    file = os.open(sensor.output, os.O_RDONLY)
    try:
        size = os.fstat(file).st_size
        while os.fstat(file).st_size == size and time.monotonic() < until_s:
            pass
        sensor.send(signal.SIGKILL)
        return time.time()
    finally:
        os.close(file)


@contextmanager
def sending(cable: Cable, log: Path, first: int, rate: int) -> Iterator[None]:
    """Send connections meanwhile."""
    program = (sys.executable, "-m", "benchmarks.endurance.connections")
    with log.open("wb") as out:
        words = (cable.far_interface, str(rate), "600", str(first))
        process = subprocess.Popen(cable.command("far", *program, *words), stdout=out)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def sent_by(log: Path, at_s: float) -> int:
    """Return the number of the next connection at a time, at most a tenth of a second too high."""
    lines = [line.split() for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    after = [int(number) for when, number in lines if float(when) >= at_s]
    return after[0] if after else int(lines[-1][1])


def written(sensor: Sensor, first: int) -> int:
    """Return how many connections with numbers from `first` on are in the file."""
    numbers = set()
    for line in sensor.output.read_bytes().splitlines(keepends=True):
        if b'"event_type":"flow"' not in line or not line.endswith(b"\n"):
            continue
        event = json.loads(line)
        if event["dest_ip"] == SERVER:
            parts = [int(part) for part in event["src_ip"].split(".")]
            numbers.add(int.from_bytes(bytes(parts)) - FIRST_CLIENT)
    return sum(first <= number < first + SPAN for number in numbers)


def _told(kill: Killed, said: str) -> Killed:
    told = NOTED.search(said) if TOLD in said else None
    return Killed(kill.torn, kill.sent, kill.written, sum(map(int, told.groups())) if told else None)


def summary(sensor: Sensor, kills: Sequence[Killed], code: int, rate: int) -> dict[str, Any]:
    """Print and return what the kills did."""
    lines = sensor.output.read_bytes().splitlines(keepends=True)
    lost = [kill.sent - kill.written for kill in kills]
    made = {
        "kills": len(kills),
        "connections_per_s": rate,
        "torn_when_killed": sum(kill.torn for kill in kills),
        "mended_said": sensor.said().count("removed the last event"),
        "lines": len(lines),
        "lines_not_whole_after": sum(not _whole(line) for line in lines),
        "loss_told": sum(kill.noted is not None for kill in kills),
        "lost_flows_least_most": [min(lost), max(lost)],
        "lost_seconds_of_load_most": max(lost) / rate,
        "noted_flows": [kill.noted for kill in kills],
        "exit_code_of_last": code,
    }
    table("kill", made)
    return made


def _whole(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
