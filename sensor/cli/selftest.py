"""`nettrusion selftest`: does the sensor, as it is configured, find the attacks that it was shipped with."""

import argparse
import sys
from pathlib import Path

from sensor.cli.config import add_set

SUMMARY = "score the bundled capture in the running configuration and see that it alerts"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion selftest`."""
    parser.add_argument(
        "-c", "--config", type=Path, metavar="FILE", help="a sensor.toml; without it, the sensor as shipped"
    )
    add_set(parser)


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 when the sensor does not find what it should.

    That rules of one's own let nothing alert is a warning, which is no failure.
    """
    from sensor.config import load
    from sensor.selftest import run_selftest

    result = run_selftest(load(args.config, overrides=args.overrides).config)
    if not result.passed:
        print(f"nettrusion: selftest failed: {result.sentence}", file=sys.stderr)
        return 1
    if result.quiet:
        print(f"nettrusion: warning: {result.sentence}", file=sys.stderr)
    print(f"selftest passed: {result.packets} packets, {result.flows} flows, {result.alerts} alerts")
    return 0
