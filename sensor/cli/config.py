"""`nettrusion config check`: whether a configuration is right, and what it comes to."""

import argparse
import json
from pathlib import Path

SUMMARY = "check a configuration and print what is in force"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion config`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check")
    check = actions.add_parser("check", help=SUMMARY, description=SUMMARY)
    check.add_argument("file", nargs="?", type=Path, help="the TOML file; without it, the defaults")
    add_set(check)


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add `--set`, which every command that reads a configuration takes."""
    parser.add_argument(
        "--set",
        dest="overrides",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the configuration, as flows.max_flows=1000; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """Print every key with its value and, where it is not the default, where that came from."""
    from sensor.config import flatten, load

    effective = load(args.file, overrides=args.overrides)
    section = ""
    for key, value in flatten(effective.config).items():
        head, _, name = key.rpartition(".")
        if head != section:
            print(f"{'' if not section else chr(10)}[{head}]")
            section = head
        origin = effective.origins.get(key)
        print(f"{name} = {json.dumps(value, ensure_ascii=False)}" + (f"  # {origin}" if origin else ""))
    return 0
