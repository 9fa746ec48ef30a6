"""From an attack connection's last packet to its alert's line in the file, over some hundred connections."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.endurance.plan import CLIENTS, SERVERS, Connection, attacks, spread
from benchmarks.endurance.process import look
from benchmarks.endurance.report import table
from benchmarks.endurance.traffic import demo, found, widen
from tests.live.cable import Cable, laid
from tests.live.sensor import Sensor
from tests.packets import pcap

ATTACKS = (
    "attack/bruteforce-ssh/Trace-Share__hydra-4_tasks.pcap",
    "attack/portscan/markofu__TCP_CONNECT_SCAN.pcap",
    "attack/web-attack/debian__WebattackXSS.pcap",
    "attack/bruteforce-ftp/markofu__ftp-crack.pcap",
)
EACH = 40
LONGEST_NS = 15 * 10**9
"""Connections of each capture that are drawn from, and how long one may last."""


@dataclass(frozen=True, slots=True)
class Load:
    """What goes on beside: packets a second of the bundled capture, flow events written too, times the speed."""

    pps: int
    flow_events: bool
    speed: float

    @property
    def name(self) -> str:
        """How it is called in the table."""
        return f"{self.pps:,} packets/s beside, flow events {'on' if self.flow_events else 'off'}, speed {self.speed:g}"


class Tail(threading.Thread):
    """Notes when each first alert of an incident between the planned hosts could be read; looks once a millisecond."""

    def __init__(self, path: Path) -> None:
        """Begin at once."""
        super().__init__(daemon=True)
        self.seen: dict[int, tuple[int, dict[str, Any]]] = {}
        self.over = threading.Event()
        self._path = path
        self.start()

    def run(self) -> None:
        """Read what is new."""
        rest = b""
        with self._path.open("rb", buffering=0) as file:
            while not self.over.wait(0.001):
                data = file.read(1 << 22)
                if data:
                    now_ns = time.time_ns()
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        if b'"event_type":"alert"' in line:
                            self._note(json.loads(line), now_ns)

    def _note(self, event: dict[str, Any], now_ns: int) -> None:
        number = numbered(event)
        if number is not None and "ml_incident_flows" not in event["alert"]["metadata"]:
            self.seen.setdefault(number, (now_ns, event))


def numbered(event: dict[str, Any]) -> int | None:
    """Return the number of the planned connection of an event, None for another's."""
    bases = CLIENTS[:5], SERVERS[:5]
    if {event["src_ip"][:5], event["dest_ip"][:5]} != set(bases):
        return None
    high, low = event["src_ip"].split(".")[2:]
    return int(high) * 256 + int(low)


def run(folder: Path, captures: Path | None, count: int, over_s: float, loads: Sequence[Load]) -> dict[str, Any]:
    """Measure under each load, with a fresh sensor each."""
    bundled = demo(folder)
    drawn: list[Connection] = []
    for capture in found(captures, ATTACKS) or [bundled]:
        short = [one for one in attacks(capture, folder) if one.packets[-1][0] <= LONGEST_NS]
        drawn += short[:: max(1, len(short) // EACH)][:EACH]
    if not drawn:
        raise SystemExit("no closed connection in these captures is an attack to this model")
    print(f"drawn from: {dict(Counter(one.kind for one in drawn))}", flush=True)
    drawn = [drawn[place] for place in np.random.default_rng(1).permutation(len(drawn))]
    made = {load.name: _measured(folder, bundled, drawn, count, over_s, load) for load in loads}
    for name, figures in made.items():
        table(name, figures)
    return made


def _measured(
    folder: Path, bundled: Path, drawn: Sequence[Connection], count: int, over_s: float, load: Load
) -> dict[str, Any]:
    plan = spread(drawn, count, over_s, load.speed)
    capture, times = folder / "plan.pcap", folder / "plan.times"
    capture.write_bytes(pcap(plan.packets))
    (folder / "latency.json").unlink(missing_ok=True)
    words = ("--set", f"output.flow_events={str(load.flow_events).lower()}", "--set", "stats.interval_s=5")
    with laid() as cable, Sensor(cable, folder, *words, name="latency") as sensor, ExitStack() as stack:
        widen(cable)
        tail = Tail(sensor.output)
        if load.pps:
            stack.enter_context(background(cable, bundled, load.pps))
            time.sleep(3)
        program = (sys.executable, "-m", "benchmarks.endurance.timed", cable.far_interface)
        begun, begun_s = look(sensor.process.pid), time.monotonic()
        subprocess.run(cable.command("far", *program, str(capture), str(times)), check=True, timeout=600)
        ended, took_s = look(sensor.process.pid), time.monotonic() - begun_s
        time.sleep(3)
        stack.close()
        tail.over.set()
        tail.join()
        sensor.stop()
        stats = sensor.events("stats")[-1]["stats"]
    went = np.frombuffer(times.read_bytes(), np.int64)
    own = [(seen[0] - int(went[plan.lasts[number]]), number) for number, seen in tail.seen.items()]
    return {
        **_quantiles([late for late, _ in own]),
        "connections": count,
        "lines": len(own),
        "by_class": dict(Counter(plan.kinds[number] for _, number in own)),
        "packets_per_s_sent_in_plan": len(went) / took_s,
        "kernel_packets": stats["capture"]["kernel_packets"],
        "kernel_drops": stats["capture"]["kernel_drops"],
        "flows_ended": stats["flow"]["total"],
        "cpu_share": (ended.cpu_s - begun.cpu_s) / took_s,
    }


def _quantiles(late_ns: Sequence[int]) -> dict[str, float]:
    values: NDArray[np.float64] = np.array(late_ns, np.float64) / 1e6
    if not len(values):
        return {}
    names = {"least_ms": 0, "median_ms": 50, "p90_ms": 90, "p99_ms": 99, "most_ms": 100}
    return {name: float(np.percentile(values, share)) for name, share in names.items()}


@contextmanager
def background(cable: Cable, capture: Path, pps: int) -> Iterator[None]:
    """Send a capture again and again meanwhile."""
    words = (cable.far_interface, "3600", str(pps), "capture", str(capture))
    command = cable.command("far", sys.executable, "-m", "benchmarks.endurance.sender", *words)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
