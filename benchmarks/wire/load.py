"""Load: for each traffic and division of the CPUs, the highest rates at which nothing is lost."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import processor
from benchmarks.captures import mixture, shared
from benchmarks.endurance.traffic import widen
from benchmarks.wire.programs import NFStream, Start, Suricata, Tcpdump, pinned, sensor
from benchmarks.wire.search import PACE, Bench, Run, median
from benchmarks.wire.sender import Sender
from benchmarks.wire.traffic import MADE, Traffic, captured
from tests.live.cable import laid

TRAFFICS = ("benign", "mixture", *MADE)
CAPTURED = 3_000_000
Bad = Callable[[Run], bool]


def lost(run: Run) -> bool:
    """Whether packets were lost."""
    return run.lost


def lost_or_shed(run: Run) -> bool:
    """Whether packets were lost or flows not scored."""
    return run.lost or run.shed


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the table: a program, the CPUs that it may use, where to begin, and what must not happen."""

    key: str
    name: str
    start: Start
    cpus: frozenset[int]
    hint: float
    traffics: tuple[str, ...] = ("benign", "mixture", "connections", "singles")
    bads: tuple[tuple[str, Bad], ...] = (("no drop", lost),)


ONE, BOTH = frozenset({1}), frozenset({0, 1})
FEW = ("benign", "connections")
ALL_SCORED: tuple[tuple[str, Bad], ...] = (("no drop, all scored", lost_or_shed),)
SCORED = (("no drop", lost), *ALL_SCORED)


def cases(model: Path | None) -> list[Case]:
    """Return every line; `model` is a bundle to measure beside the one that comes with the sensor."""
    events, late = sensor("output.flow_events=true"), sensor("flows.snapshot_closed=false")
    made = [
        Case("one", "sensor, 1 worker", sensor(), ONE, 200_000, bads=SCORED),
        Case("two", "sensor, 2 workers", sensor("capture.workers=2"), BOTH, 200_000, bads=SCORED),
        Case("flows", "sensor, 1 worker, flow events", events, ONE, 150_000, FEW, ALL_SCORED),
        Case("late", "sensor, 1 worker, scored at the end alone", late, ONE, 250_000, FEW, ALL_SCORED),
        Case("tcpdump", "tcpdump -w /dev/null", Tcpdump, ONE, 450_000),
        Case("suricata", "Suricata, 1 thread, flow records", Suricata, ONE, 200_000),
        Case("nfstream", "NFStream, 1 meter", NFStream, ONE, 60_000),
    ]
    if model is not None:
        other, name = sensor(f'detector.model="{model}"'), f"sensor, 1 worker, model {model.parent.name}"
        made.insert(4, Case("model", name, other, ONE, 350_000, FEW, ALL_SCORED))
    return made


def parser(top: argparse.ArgumentParser) -> None:
    """Add the arguments of `load`."""
    top.add_argument("--mixture", type=Path, help="a classic pcap to send as `mixture` instead of one made here")
    top.add_argument("--benign", type=Path, help="the same for `benign`")
    top.add_argument("--traffic", nargs="+", choices=TRAFFICS, default=list(TRAFFICS))
    top.add_argument("--only", nargs="+", metavar="LINE", help="these lines of the table: one, two, flows, late, ...")
    top.add_argument("--model", type=Path, help="a further bundle to measure")
    top.add_argument("--suricata-root", type=Path, help="where Suricata is, if not here: a root folder to chroot into")
    top.add_argument("--packets", type=int, default=4_000_000, help="frames made of each synthetic traffic")
    top.add_argument("--seconds", type=float, default=8.0, help="length of a run")
    top.add_argument("--rate", type=float, help="make one run at this rate and search nothing")
    top.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too, as they come")


def run(args: argparse.Namespace) -> int:
    """Measure, print a table in Markdown, write the figures."""
    if args.suricata_root is not None:
        Suricata.root = args.suricata_root.resolve()
    wanted = [case for case in cases(args.model) if not args.only or case.key in args.only]
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="nettrusion-wire-") as name:
        for traffic in args.traffic:
            sender = Sender(made(traffic, args, Path(name)))
            ceiling = alone(sender, args.seconds / 2)
            say(f"{sender.traffic.name}: {sender.traffic.mean_bytes:.0f} bytes a frame, sender alone {ceiling:,.0f}/s")
            for case in (case for case in wanted if traffic in case.traffics):
                lines += measure(case, sender, args)
                if args.json:
                    facts = {"conditions": conditions(args), "lines": lines}
                    args.json.write_text(json.dumps(facts, indent=1) + "\n")
    print(table(lines))
    return 0


def made(traffic: str, args: argparse.Namespace, folder: Path) -> Traffic:
    """Return frames by the traffic's name."""
    if traffic in MADE:
        return MADE[traffic](args.packets)
    if traffic == "benign":
        return captured(args.benign or benign(folder, CAPTURED), "benign mixture")
    return captured(args.mixture or mixture(folder, CAPTURED), "mixture with attacks")


def benign(folder: Path, packets: int) -> Path:
    """Make a mixture out of the benign ones of the shared captures alone."""
    source, out = shared(), folder / "benign.pcap"
    archive = source / "data" / "captures" / "dev.tar.zst"
    subprocess.run(["tar", "--zstd", "--no-same-owner", "-xf", archive, "-C", folder], check=True)
    found = next(path for path in folder.rglob("benign") if path.is_dir())
    subprocess.run([sys.executable, source / "tools" / "throughput.py", found, out, str(packets)], check=True)
    return out


def alone(sender: Sender, seconds: float) -> float:
    """Return how many packets a second go into a cable at whose end nobody listens."""
    PACE.wait_until_quiet()
    with laid() as cable, cable.inside("far"), pinned({0}):
        widen(cable)
        return sender.send(cable.far_interface, 0, seconds).rate


def measure(case: Case, sender: Sender, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the lines of one case."""
    bench = Bench(case.start, sender, set(case.cpus), {0} if case.cpus == ONE else {0, 1}, args.seconds)
    bench.told = lambda run: say(f"  {case.name}: {told(run)}")
    found: list[dict[str, Any]] = []
    if args.rate:
        bench.run(args.rate, lost)
        return found
    for criterion, bad in case.bads:
        runs, limited = bench.highest(case.hint, bad)
        found.append(line(case, sender, criterion, runs, limited))
        say(f"{row(found[-1])}")
    return found


def line(case: Case, sender: Sender, criterion: str, runs: Sequence[Run], limited: bool) -> dict[str, Any]:
    """Return the figures of the highest rate: medians of its runs."""
    chosen = list(runs)
    return {
        "traffic": sender.traffic.name,
        "program": case.name,
        "criterion": criterion,
        "packets_per_s": median(chosen, lambda run: run.rate),
        "mbit_per_s": median(chosen, lambda run: run.rate) * sender.traffic.mean_bytes * 8 / 1e6,
        "flows_per_s": median(chosen, lambda run: run.flows_per_s) if chosen[0].last.flows >= 0 else None,
        "cpu_s_per_million": median(chosen, lambda run: run.cpu_per_million),
        "rss_mb": median(chosen, lambda run: run.rss_mb),
        "unscored_share": median(chosen, lambda run: run.last.unscored / max(1, run.last.scored + run.last.unscored)),
        "sender_cpu_share": median(chosen, lambda run: run.sender_cpu_s / run.seconds),
        "sender_limits": limited,
        "others_share": max(run.others_share for run in chosen),
        "slowness": max(run.slowness for run in chosen),
        "runs": [asdict(run) for run in chosen],
    }


def conditions(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "processor": processor(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "seconds": args.seconds,
        "load": os.getloadavg(),
    }


COLUMNS = (
    *("Traffic", "Program", "Criterion", "packets/s", "flows/s", "Mbit/s"),
    *("CPU s per million", "RSS MB", "unscored", "sender's core"),
)


def row(line: dict[str, Any]) -> str:
    """Return a line of the table."""
    flows, more = line["flows_per_s"], "≥ " if line["sender_limits"] else ""
    cells = [
        *(line["traffic"], line["program"], line["criterion"]),
        f"{more}{line['packets_per_s']:,.0f}",
        "" if flows is None else f"{flows:,.0f}",
        f"{line['mbit_per_s']:,.0f}",
        f"{line['cpu_s_per_million']:.2f}",
        f"{line['rss_mb']:,.0f}",
        f"{line['unscored_share']:.1%}",
        f"{line['sender_cpu_share']:.0%}",
    ]
    return "| " + " | ".join(cells) + " |"


def table(lines: Iterable[dict[str, Any]]) -> str:
    """Return all lines as a table in Markdown."""
    head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * 3 + "---:|" * (len(COLUMNS) - 3)]
    return "\n".join([*head, *(row(line) for line in lines)])


def told(run: Run) -> str:
    """Return one run in words."""
    last, end = run.last, run.at_end
    behind = f", {run.sent - end.packets:,} behind" if end.packets >= 0 else ""
    return (
        f"{run.rate:,.0f}/s of {run.asked:,.0f}: {last.drops:,} dropped{behind}, {last.flows:,} flows, "
        f"{last.scored:,} scored, {last.unscored:,} unscored, {end.waiting:,} waiting, late {run.late_s:.1f} s, "
        f"{run.cpu_per_million:.2f} CPU s per million, {run.rss_mb:.0f} MB, sender {run.sender_cpu_s / run.seconds:.0%}"
        f", others {run.others_share:.0%}, CPUs slower {run.slowness:.2f}"
    )


def say(sentence: str) -> None:
    """Say what goes on beside the table."""
    print(sentence, file=sys.stderr, flush=True)
