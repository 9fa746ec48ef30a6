"""python -m benchmarks.endurance flood|soak|kill|stall|latency: needs root, ip and tcpreplay."""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def soak(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the soak."""
    from benchmarks.endurance import soak

    return soak.run(folder, args.captures, args.minutes)


def flood(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the flood."""
    from benchmarks.endurance import flood

    return flood.run(folder, args.captures, args.seconds, args.pps, args.words, flows=args.flows)


def kill(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the kills."""
    from benchmarks.endurance import kill

    return kill.run(folder, args.times, args.rate)


def stall(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the stall."""
    from benchmarks.endurance import stall

    return stall.run(folder, args.seconds, args.rate)


def latency(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure latency idle and under load, with and without flow events."""
    from benchmarks.endurance import latency

    loads = [latency.Load(pps, flows, args.speed) for pps in (0, args.pps) for flows in (False, True)]
    return latency.run(folder, args.captures, args.connections, args.seconds, loads)


TESTS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "soak": soak,
    "flood": flood,
    "kill": kill,
    "stall": stall,
    "latency": latency,
}


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    top = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    top.add_argument("--captures", type=Path, help="folder with attack/ and benign/; otherwise the bundled one alone")
    top.add_argument("--folder", type=Path, help="keep what is written here (default: a temporary folder)")
    top.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    commands = top.add_subparsers(dest="test", required=True)
    one = commands.add_parser("soak", help="memory over half an hour of mixed traffic")
    one.add_argument("--minutes", type=float, default=30)
    one = commands.add_parser("flood", help="SYNs of random sources, as fast as they go")
    one.add_argument("--seconds", type=int, default=120)
    one.add_argument("--pps", type=int, default=0, help="SYNs a second; 0: as fast as they go")
    one.add_argument("--flows", action="store_true", help="write flow events too, and count those of other traffic")
    one.add_argument("--words", nargs=argparse.REMAINDER, default=[], help="further words for the sensor, last")
    one = commands.add_parser("kill", help="kill -9 while it writes, and start again")
    one.add_argument("--times", type=int, default=20)
    one.add_argument("--rate", type=int, default=2000, help="connections a second")
    one = commands.add_parser("stall", help="outputs whose readers stop reading for a minute")
    one.add_argument("--seconds", type=float, default=60)
    one.add_argument("--rate", type=int, default=1000, help="connections a second")
    one = commands.add_parser("latency", help="from an attack's last packet to its line")
    one.add_argument("--seconds", type=float, default=40, help="the connections begin within so many seconds")
    one.add_argument("--connections", type=int, default=400)
    one.add_argument("--speed", type=float, default=1, help="times the captured speed")
    one.add_argument("--pps", type=int, default=50_000, help="packets a second beside")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the tests and print what came out."""
    args = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="nettrusion-endurance-") as name:
        folder = args.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        figures = {"load_before": os.getloadavg()[0], **TESTS[args.test](args, folder)}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
