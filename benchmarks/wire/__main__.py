"""python -m benchmarks.wire load: needs root and ip; tcpdump and Suricata where their lines are wanted."""

import argparse
import signal
import sys
from collections.abc import Sequence

from benchmarks.wire import load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    top = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    load.parser(commands.add_parser("load", help="the highest rates without loss"))
    # An end from outside takes the cable and the program on it along.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    return load.run(top.parse_args(arguments))


if __name__ == "__main__":
    raise SystemExit(main())
