"""What is sent over the cable: captures at chosen rates."""

import gzip
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.captures import ROOT
from tests.live.cable import Cable
from tests.live.replay import MTU

MAPPINGS = 12
"""How many sets of random addresses there are: the hosts of a network come back, they are not new each time."""

MIXED = (
    "attack/bruteforce-ftp/markofu__ftp-crack.pcap",
    "attack/bruteforce-ssh/Trace-Share__hydra-4_tasks.pcap",
    "attack/dns-tunnel/ggyggy666__iodine-cname.pcap",
    "attack/malware-c2/yungshenglu__Tinba.pcap",
    "attack/slowloris/Kihy__slowloris_9c1032b6.pcap",
    "attack/web-attack/debian__WebattackXSS.pcap",
    "benign/benign/debian__alexa-app.pcapng",
    "benign/benign/debian__skype_no_unknown.pcap",
    "benign/benign/debian__teams.pcap",
    "benign/benign/debian__telegram.pcap",
    "benign/benign/ggyggy666__normal_00012_20230805204207.pcap",
    "benign/benign/zeek__sumstat.pcap",
)
SCANS = (
    "attack/portscan/markofu__TCP_SYN_SCAN.pcap",
    "attack/portscan/markofu__UDP_SCAN.pcap",
    "attack/portscan/lucaderi__portScan_1_to_10000.pcapng",
)
"""Captures among those that the project reads and does not ship."""


@dataclass(frozen=True, slots=True)
class Run:
    """One replay of a capture: packets a second, seconds, and a seed for its addresses, 0 as they are."""

    capture: Path
    pps: int
    seconds: int
    seed: int


def demo(folder: Path) -> Path:
    """Unpack the bundled capture."""
    path = folder / "demo.pcap"
    with gzip.open(ROOT / "sensor" / "data" / "demo.pcap.gz") as packed, path.open("wb") as out:
        shutil.copyfileobj(packed, out)
    return path


def found(captures: Path | None, names: Sequence[str]) -> list[Path]:
    """Return those of some captures that are there."""
    return [captures / name for name in names if (captures / name).is_file()] if captures is not None else []


def mixture(bundled: Path, captures: Path | None, seed: int = 1) -> Iterator[Run]:
    """Yield runs without end: every capture in turn, at rates from 1,000 to 6,000 a second, now and then a scan."""
    chance = random.Random(seed)
    mixed, scans = [bundled, *found(captures, MIXED)], found(captures, SCANS)
    while True:
        for number, capture in enumerate(chance.sample(mixed, len(mixed))):
            seeds = (0, chance.randint(1, MAPPINGS))
            yield Run(capture, chance.choice((1000, 2000, 3000, 4000, 6000)), 8, chance.choice(seeds))
            if scans and number % 4 == 3:
                yield Run(chance.choice(scans), 2000, 4, chance.choice(seeds))


def widen(cable: Cable) -> None:
    """Let frames through that a network card had joined before they were captured."""
    cable.run("sensor", "ip", "link", "set", cable.interface, "mtu", str(MTU))
    cable.run("far", "ip", "link", "set", cable.far_interface, "mtu", str(MTU))


def replayed(cable: Cable, run: Run) -> list[str]:
    """Return the tcpreplay command of a run, begun anew when the capture is over; it sleeps between packets."""
    words = ["-q", "-i", cable.far_interface, "--timer=nano", "--loop=100000"]
    words += [f"--pps={run.pps}", f"--duration={run.seconds}"]
    program = "tcpreplay-edit" if run.seed else "tcpreplay"
    edits = [f"--seed={run.seed}", f"--mtu={MTU}"] if run.seed else []
    return cable.command("far", program, *words, *edits, str(run.capture))


def play(cable: Cable, run: Run) -> int:
    """Replay to the end; return how many packets were sent."""
    done = subprocess.run(replayed(cable, run), capture_output=True, text=True, check=False, timeout=run.seconds + 60)
    sent = [line.split()[-1] for line in done.stdout.splitlines() if "Successful packets:" in line]
    if not sent:
        raise SystemExit(f"{run.capture}: {done.stderr or done.stdout}")
    return int(sent[0])


@contextmanager
def meanwhile(cable: Cable, run: Run) -> Iterator[subprocess.Popen[bytes]]:
    """Replay while something else goes on, and stop with it."""
    process = subprocess.Popen(replayed(cable, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
