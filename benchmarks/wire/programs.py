"""Programs that listen at the end of the cable: the sensor, and those beside it, all asked the same questions."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.bench import nfstream_python
from benchmarks.endurance.process import look
from tests.live.cable import Cable
from tests.live.sensor import Sensor

RING_MB = 64
SNAP_BYTES = 256
START_S, END_S = 60.0, 30.0
TIMEOUTS_S = {"tcp_new": 2, "tcp": 3, "udp_new": 2, "udp": 3, "icmp": 1, "other": 2}
"""Idle timeouts of every program: the 900 s of the mixture pass in about twenty, and flows must end meanwhile."""
CLOSED_S = 1
"""How long a closed connection lingers."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a program says so far; -1 where it does not say.

    Attributes:
        packets: packets that it has worked on.
        drops: packets that the kernel dropped since the program's ring was full.
        flows: flows that were seen, open ones among them.
        scored: records of flows that were scored.
        unscored: records that were shed unscored.
        ended: flows that ended.
        early: those of the scored records that were of flows still open.
    """

    packets: int = -1
    drops: int = -1
    flows: int = -1
    scored: int = 0
    unscored: int = 0
    ended: int = 0
    early: int = 0

    @property
    def waiting(self) -> int:
        """How many ended flows have not been scored yet, in the queue or taken from it; none were shed."""
        return max(0, self.ended - self.unscored - (self.scored - self.early))


class Program(Protocol):
    """A running program."""

    live: bool
    """Whether `counts` can be asked while it runs; otherwise only `end` knows."""

    def processes(self) -> Sequence[int]:
        """Return its process ids."""

    def counts(self) -> Counts:
        """Return what it says now."""

    def end(self) -> Counts:
        """End it and return its last word."""


Start = Callable[[Cable, Path], Program]
"""Starts a program on a cable with a folder for its files."""


@contextmanager
def pinned(cpus: set[int]) -> Iterator[None]:
    """Hold this thread, and what it starts meanwhile, on some CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def spent(program: Program) -> tuple[float, float]:
    """Return CPU seconds since the start and resident MB of all its processes."""
    looks = [look(pid) for pid in program.processes()]
    return sum(one.cpu_s for one in looks), sum(one.rss_kb for one in looks) / 1024


class Nettrusion:
    """The daemon, asked by SIGUSR1."""

    live = True
    _SUMMARY = re.compile(
        r"packets (?P<packets>[\d,]+), bytes.*?lost by the kernel (?P<drops>[\d,]+).*?"
        r"flows (?P<ended>[\d,]+) ended, (?P<open>[\d,]+) open.*?(?P<scored>[\d,]+) scored "
        r"\((?P<early>[\d,]+) while open\), (?P<unscored>[\d,]+) not scored, [\d,]+ waiting",
        re.DOTALL,
    )

    def __init__(self, cable: Cable, folder: Path, words: Sequence[str] = ()) -> None:
        """Start it, alerts alone unless `words` say otherwise."""
        timeouts = {**TIMEOUTS_S, "linger": CLOSED_S}
        options = ["output.flow_events=false", *(f"flows.timeouts.{name}_s={s}" for name, s in timeouts.items())]
        given = [part for option in (*options, *words) for part in ("--set", option)]
        self._sensor = Sensor(cable, folder, *given, name="load")
        self._sensor.__enter__()

    def processes(self) -> Sequence[int]:
        """Return its process."""
        return [self._sensor.process.pid]

    def counts(self) -> Counts:
        """Return its summary."""
        before = len(self._sensor.said())
        self._sensor.send(signal.SIGUSR1)
        found: list[re.Match[str]] = []

        def told() -> bool:
            found[:] = self._SUMMARY.finditer(self._sensor.said(), before)
            return bool(found)

        self._sensor.until(told)
        numbers = {name: int(value.replace(",", "")) for name, value in found[0].groupdict().items()}
        numbers["flows"] = numbers["ended"] + numbers.pop("open")
        return Counts(**numbers)

    def end(self) -> Counts:
        """Kill it: what is open need not be scored."""
        last = self.counts()
        self._sensor.__exit__(None, None, None)
        return last


class _Listener:
    """A program that is run to its end and then says what it saw."""

    live = False

    def __init__(self, words: Sequence[str], ready: str, folder: Path) -> None:
        self.output = folder / "listener.log"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, cwd=folder)
        until_s = time.monotonic() + START_S
        while ready not in self.said():
            if self.process.poll() is not None or time.monotonic() > until_s:
                raise SystemExit(f"{words}: {self.said()[-2000:]}")
            time.sleep(0.05)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def processes(self) -> Sequence[int]:
        """Return its processes."""
        return family(self.process.pid)

    def counts(self) -> Counts:
        """Return nothing: it does not say."""
        return Counts()

    def stop(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            for pid in reversed(self.processes()):
                os.kill(pid, signal.SIGKILL)
            self.process.wait(END_S)
        return self.said()


class Tcpdump(_Listener):
    """tcpdump into nothing: what capture alone costs."""

    def __init__(self, cable: Cable, folder: Path) -> None:
        """Start it with a ring of the sensor's size and snap length; it knows no flows."""
        words = ["tcpdump", "-n", "-i", cable.interface, "-s", str(SNAP_BYTES), "-B", str(RING_MB * 1024)]
        super().__init__(cable.command("sensor", *words, "-w", "/dev/null"), "listening", folder)

    def end(self) -> Counts:
        """Return what it captured."""
        said = self.stop(signal.SIGINT)
        numbers = [re.search(rf"(\d+) packets? {what}", said) for what in ("captured", "dropped by kernel")]
        return Counts(*(int(found[1]) if found else -1 for found in numbers))


SURICATA = """%YAML 1.1
---
stats: {{enabled: yes, interval: 2}}
default-log-dir: {folder}
outputs:
  - eve-log: {{enabled: yes, filetype: regular, filename: flows.json, types: [flow]}}
  - stats: {{enabled: yes, filename: stats.log, totals: yes, threads: no}}
logging: {{default-log-level: notice, outputs: [{{console: {{enabled: yes}}}}]}}
af-packet:
  - {{interface: {interface}, threads: 1, cluster-id: 99, cluster-type: cluster_flow, defrag: no, tpacket-v3: yes,
     ring-size: {ring}, block-size: 1048576, block-timeout: 50, snaplen: {snap}, disable-promisc: no}}
app-layer: {{protocols: {{}}}}
flow: {{memcap: 512mb, hash-size: 262144, prealloc: 50000, emergency-recovery: 30}}
flow-timeouts:
  default: {{new: {other}, established: {other}, closed: 0}}
  tcp: {{new: {tcp_new}, established: {tcp}, closed: {closed}}}
  udp: {{new: {udp_new}, established: {udp}}}
  icmp: {{new: {icmp}, established: {icmp}}}
stream: {{memcap: 512mb, checksum-validation: no, reassembly: {{memcap: 512mb, depth: 1mb}}}}
host-mode: auto
unix-command: {{enabled: no}}
detect: {{profile: medium}}
"""
PACKET_BYTES = 9216
"""Room that Suricata's ring-size, a number of packets, takes for each at the cable's MTU."""


class Suricata(_Listener):
    """Suricata with one thread and no rules, writing flow records; from a root folder of its own if one is given."""

    root: Path | None = None

    def __init__(self, cable: Cable, folder: Path) -> None:
        """Start it with the sensor's ring size, snap length and timeouts."""
        root = self.root or Path("/")
        self._folder = (root / "tmp" if self.root else folder) / f"nettrusion-load-{os.getpid()}"
        self._folder.mkdir(exist_ok=True)
        inside = Path("/", self._folder.relative_to(root)) if self.root else self._folder
        config = SURICATA.format(
            folder=inside,
            interface=cable.interface,
            snap=SNAP_BYTES,
            ring=RING_MB * 1024 * 1024 // PACKET_BYTES,
            closed=CLOSED_S,
            **TIMEOUTS_S,
        )
        (self._folder / "load.yaml").write_text(config)
        shut = ["chroot", str(root)] if self.root else []
        words = [*shut, "suricata", "-c", str(inside / "load.yaml"), "-S", "/dev/null", "-l", str(inside)]
        words += [f"--af-packet={cable.interface}", "--runmode", "workers"]
        super().__init__(cable.command("sensor", *words), "Engine started", folder)

    def end(self) -> Counts:
        """Return its last statistics."""
        said = self.stop(signal.SIGINT)
        found = re.search(r"packets: (\d+), drops: (\d+)", said)
        lines = (self._folder / "stats.log").read_text().splitlines()
        flows = [int(line.split("|")[-1]) for line in lines if line.startswith("flow.total ")]
        shutil.rmtree(self._folder)
        packets, drops = (int(found[1]), int(found[2])) if found else (-1, -1)
        return Counts(packets - max(0, drops), drops, flows[-1] if flows else -1)


NFSTREAM = """
import sys
from nfstream import NFStreamer
streamer = NFStreamer(source=sys.argv[1], statistical_analysis=True, n_dissections=0, n_meters=1, snapshot_length=256,
                      idle_timeout=int(sys.argv[2]), performance_report=1, socket_buffer_size=int(sys.argv[3]))
for flow in streamer:
    pass
"""


class NFStream(_Listener):
    """NFStream without dissection, its flows thrown away: reader and meter are two processes."""

    def __init__(self, cable: Cable, folder: Path) -> None:
        """Start it, and hold it where it was started: it pins its processes to CPUs itself."""
        words = [str(nfstream_python()), "-c", NFSTREAM, cable.interface, str(TIMEOUTS_S["tcp"])]
        buffer = str(RING_MB * 1024 * 1024)
        super().__init__(cable.command("sensor", *words, buffer), "packets_processed", folder)
        for pid in self.processes():
            for task in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), os.sched_getaffinity(0))

    def end(self) -> Counts:
        """Return what it reported last."""
        time.sleep(1.5)
        reports = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        for pid in reversed(self.processes()):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(END_S)
        last = reports[-1]
        drops = last["packets_dropped_filtered_by_kernel"]
        return Counts(last["packets_processed"], drops, last["flows_expired"])


def sensor(*words: str) -> Start:
    """Return what starts the sensor with further KEY=VALUE of its configuration."""
    return lambda cable, folder: Nettrusion(cable, folder, words)


