"""A sensor under strain, in small: a flood, a kill while it writes, an output that stalls, an alert at the close.

Benchmarks of the same things, in large: `python -m benchmarks.endurance`.
"""

import json
import os
import random
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cable import Cable
from tests.live.sensor import Sensor
from tests.packets import SYN, connection, tcp

FLOODED = "10.0.0.80"
SERVER = "10.0.0.22"
CLIENT = "192.168.7.7"
SYNS = 20_000
TABLE = 4096
# A rule of each, so that what alerts here does not hang on what the model of the day makes of a lonely SYN.
RULES = """
alert tcp any any -> any 443 (msg:"flood"; flowbits:isset,ml.alert; \
    threshold:type limit, track by_src, count 1, seconds 300; sid:1000901; rev:1;)
alert tcp any any -> any 22 (msg:"login"; flowbits:isset,ml.alert; \
    threshold:type limit, track by_both, count 1, seconds 300; sid:1000902; rev:1;)
"""
ALL_ALERT = ("--set", "detector.threshold=0.0")


def syns(count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield SYNs to one service, each of a source of its own."""
    chance = random.Random(seed)
    for number in range(count):
        source = f"{20 + number % 100}.{chance.randrange(256)}.{number >> 8 & 255}.{number & 255}"
        yield tcp(source, FLOODED, (chance.randrange(1024, 65536), 443), SYN)


def login(number: int = 0) -> list[bytes]:
    """Return the packets of one connection, closed by both sides."""
    return [one.frame for one in connection(CLIENT, SERVER, (40000 + number, 22))]


@pytest.fixture
def rules(tmp_path: Path) -> tuple[str, ...]:
    """Return words that put `RULES` in force."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "local.rules").write_text(RULES)
    return ("--set", f"rules.directory={folder}", *ALL_ALERT)


def whole(path: Path) -> bool:
    """Return whether every line of a file is one JSON object."""
    lines = path.read_bytes().splitlines(keepends=True)
    return all(line.endswith(b"\n") and isinstance(json.loads(line), dict) for line in lines)


def test_a_flood_fills_the_table_and_hides_nothing(cable: Cable, tmp_path: Path, rules: tuple[str, ...]):
    bounds = ("--set", f"flows.max_flows={TABLE}", "--set", "stats.interval_s=1")
    flood = list(syns(SYNS))
    packets = login()
    half = len(packets) // 2
    with Sensor(cable, tmp_path, *bounds, *rules) as sensor:
        cable.send(flood[: SYNS // 2])
        cable.send(packets[:half])
        cable.send(flood[SYNS // 2 : SYNS // 2 + TABLE // 2])  # the idlest make room, and it is not among them
        cable.send(packets[half:])
        cable.send(flood[SYNS // 2 + TABLE // 2 :])
        sensor.until(lambda: any(event["dest_port"] == 22 for event in sensor.events("alert")))
        assert sensor.stop() == 0
    stats = [event["stats"] for event in sensor.events("stats")]
    assert stats[-1]["capture"]["kernel_drops"] == 0
    assert stats[-1]["flow"]["total"] == SYNS + 1
    assert all(one["flow"]["active"] <= TABLE for one in stats)
    assert stats[-1]["flow"]["get_used"] >= SYNS - TABLE, "every flow that made room is counted"
    (kept,) = [event for event in sensor.events("flow") if event["dest_port"] == 22]
    assert kept["flow"]["pkts_toserver"] + kept["flow"]["pkts_toclient"] == len(packets)
    alerts = sensor.events("alert")
    assert len([event for event in alerts if event["dest_port"] == 22]) == 1
    first = [event for event in alerts if "ml_incident_flows" not in event["alert"]["metadata"]]
    assert 2 <= len(first) <= 25, "one alert for each of some sources, then one for the target"


def kill_as_it_writes(sensor: Sensor) -> None:
    """Kill a sensor when its file has just begun to grow."""
    file = os.open(sensor.output, os.O_RDONLY)
    try:
        until_s = time.monotonic() + 30
        while not os.fstat(file).st_size:
            assert time.monotonic() < until_s, sensor.said()
        sensor.send(signal.SIGKILL)
        sensor.process.wait(30)
    finally:
        os.close(file)


def test_after_a_kill_while_it_writes_lines_are_whole_and_the_loss_is_told(cable: Cable, tmp_path: Path):
    state = tmp_path / "state"
    state.mkdir()
    words = ("--set", "flows.max_flows=64")  # whoever comes next makes room, so that lines are written at once
    with Sensor(cable, tmp_path, *words, env={"STATE_DIRECTORY": str(state)}) as sensor:
        sensor.until(lambda: any(state.iterdir()))
        cable.send(syns(2000))
        kill_as_it_writes(sensor)
    if sensor.output.read_bytes().endswith(b"\n"):
        # It was between two writes, or the write was done before it died: the end that it may leave, by hand.
        with sensor.output.open("ab") as file:
            file.write(b'{"timestamp":"2026-11-22T05:5')
    with Sensor(cable, tmp_path, *words, env={"STATE_DIRECTORY": str(state)}) as sensor:
        assert whole(sensor.output)
        cable.send(syns(2000, seed=2))
        assert sensor.stop() == 0
    said = sensor.said()
    assert "removed the last event" in said
    assert re.search(r"did not end in order: .* \d+ open flows, \d+ waiting to be scored", said)
    assert whole(sensor.output)
    assert sensor.events("stats")[-1]["stats"]["flow"]["total"] == 2000
    with Sensor(cable, tmp_path, *words, env={"STATE_DIRECTORY": str(state)}, name="after") as sensor:
        sensor.stop()
    assert "did not end in order" not in sensor.said(), "an orderly end is no loss"


def test_an_output_that_stalls_costs_its_own_events_alone(cable: Cable, tmp_path: Path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "slow.sock"))
    server.listen()
    server.settimeout(30)
    words = [
        *("--set", 'sinks.slow.type="unix_stream"', "--set", f'sinks.slow.path="{tmp_path / "slow.sock"}"'),
        *("--set", "sinks.slow.queue_mb=1", "--set", "flows.max_flows=64"),
        *("--set", 'sinks.eve.type="file"', "--set", f'sinks.eve.path="{tmp_path / "sensor.json"}"'),
    ]
    with server, Sensor(cable, tmp_path, *words) as sensor:
        reader, _ = server.accept()
        with reader:
            cable.send(syns(SYNS))
            sensor.until(lambda: len(sensor.events("flow")) >= SYNS - 64)
            reader.settimeout(30)
            sensor.send(signal.SIGTERM)
            received = b"".join(iter(lambda: reader.recv(1 << 16), b""))
        assert sensor.process.wait(30) == 0
    written = sensor.output.read_bytes().splitlines(keepends=True)
    assert len(sensor.events("flow")) == SYNS
    assert sensor.events("stats")[-1]["stats"]["capture"]["kernel_drops"] == 0
    lines = received.splitlines(keepends=True)
    counts = re.findall(r"^output slow: .*dropped_lines ([\d,]+)", sensor.said(), re.MULTILINE)
    dropped = int(counts[-1].replace(",", ""))
    assert dropped > 0 and "its queue is full" in sensor.said()
    assert len(lines) + dropped == len(written), "every event is there or counted"
    assert set(lines) <= set(written), "and those that are there are whole"


def test_an_attack_is_told_as_its_connection_closes(cable: Cable, tmp_path: Path, rules: tuple[str, ...]):
    """Not when a closed connection leaves the table, which here it does not within the test's time."""
    with Sensor(cable, tmp_path, "--set", "flows.timeouts.linger_s=3600", *rules) as sensor:
        packets = login()
        cable.send(packets[:-2])
        cable.send([tcp("192.168.7.8", SERVER, (50000, 22), SYN)])
        cable.send(packets[-2:])
        sensor.until(lambda: bool(sensor.events("alert")))
        (alert,) = sensor.events("alert")
        assert not sensor.events("flow")
        assert alert["src_ip"] == CLIENT
        assert alert["flow"]["pkts_toserver"] + alert["flow"]["pkts_toclient"] == len(packets)
        assert sensor.stop() == 0
