"""`nettrusion doctor`: whether this machine and this configuration are fit to run the sensor."""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sensor.cli.config import add_set

SUMMARY = "check the machine and the configuration, with the remedies"
WIDTH = 18


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion doctor`."""
    parser.add_argument(
        "-i",
        "--interface",
        action="append",
        default=[],
        metavar="IFACE",
        help="check this one; may be given several times (default: capture.interfaces)",
    )
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="a sensor.toml; without it, the defaults")
    parser.add_argument("--source", choices=("ring", "scapy", "tshark"), help="how the sensor will listen")
    parser.add_argument("--json", action="store_true", help="print one JSON array of findings")
    add_set(parser)


def run(args: argparse.Namespace) -> int:
    """Print a line a finding, as they come; 1 when one of them is a `fail`."""
    from sensor.config import load
    from sensor.doctor import Scene, examine

    config = load(args.config, overrides=args.overrides).config
    capture = replace(
        config.capture,
        interfaces=tuple(args.interface) or config.capture.interfaces,
        source=args.source or config.capture.source,
    )
    findings = []
    for finding in examine(Scene(replace(config, capture=capture))):
        findings.append(finding)
        if not args.json:
            print(finding.line(WIDTH), flush=True)
    counts = Counter(finding.outcome for finding in findings)
    if args.json:
        print(json.dumps([finding.as_json() for finding in findings], indent=1))
    else:
        print(f"{len(findings)} checks: {counts['fail']} fail, {counts['warning']} warning")
    return 1 if counts["fail"] else 0
