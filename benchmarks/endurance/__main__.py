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


TESTS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {"soak": soak}


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    top = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    top.add_argument("--captures", type=Path, help="folder with attack/ and benign/; otherwise the bundled one alone")
    top.add_argument("--folder", type=Path, help="keep what is written here (default: a temporary folder)")
    top.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    commands = top.add_subparsers(dest="test", required=True)
    one = commands.add_parser("soak", help="memory over half an hour of mixed traffic")
    one.add_argument("--minutes", type=float, default=30)
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
