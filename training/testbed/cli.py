"""The testbed's commands: `record` makes a labelled capture, `check` proves one."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.enclosure import enclose
from training.testbed.profiles import PROFILES
from training.testbed.recording import check, record

# Set-up and taking down, beside what a profile's own programs take at most.
SPARE_S = 120.0


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    top = argparse.ArgumentParser(prog="python -m training.testbed", description=__doc__)
    commands = top.add_subparsers(dest="verb", required=True)
    for verb in ("record", "enclosed"):
        # `enclosed` is what `record` starts inside the namespaces.
        one = commands.add_parser(verb, description="Record a profile; needs root.")
        one.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
        one.add_argument("--seed", type=int, default=1)
        one.add_argument("--profile", choices=sorted(PROFILES), default="demo")
        one.add_argument("--name", default="demo", help="the files' name (default: demo)")
    prove = commands.add_parser("check", help="label a recording anew and compare")
    prove.add_argument("manifest", type=Path)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    args = parser().parse_args(arguments)
    try:
        if args.verb == "record":
            words = ["enclosed", "-o", str(args.output.resolve()), "--seed", str(args.seed)]
            words += ["--profile", args.profile, "--name", args.name]
            return enclose(words, PROFILES[args.profile].seconds + SPARE_S)
        if args.verb == "enclosed":
            told(record(PROFILES[args.profile], args.seed, args.output, args.name))
        else:
            told(check(args.manifest))
    except NettrusionError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def told(manifest: dict[str, object]) -> None:
    """Print what a recording holds."""
    for part in ("capture", "labels"):
        print(part, manifest[part])
