"""`nettrusion rules check` and `rules map`: whether a folder of rules can be honoured, and its sid-msg.map."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.config import add_set

if TYPE_CHECKING:
    from sensor.rulebook import Reading

SUMMARY = "check a folder of rules and say what it holds"
_MAP = "print the sid-msg.map of a folder of rules"
ANY_CLASS = "(any)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion rules`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="check|map")
    for name, summary in (("check", SUMMARY), ("map", _MAP)):
        action = actions.add_parser(name, help=summary, description=summary)
        action.add_argument(
            "directory", nargs="?", type=Path, help="the folder; without it, the configuration's or the sensor's own"
        )
        action.add_argument("--config", type=Path, metavar="FILE", help="where the rules' $VARIABLES are defined")
        add_set(action)


def run(args: argparse.Namespace) -> int:
    """Print what a folder holds and, on standard error, what is wrong with it: then the exit code is 1."""
    from sensor.config import load
    from sensor.rulebook import RuleError, read_directory, rule_variables, sid_msg_map

    config = load(args.config, overrides=args.overrides).config
    directory = args.directory or _default(config.rules.directory)
    reading = read_directory(directory, rule_variables(config))
    if args.action == "map":
        if reading.faults:
            raise RuleError(reading.faults)
        print(sid_msg_map(reading.rules), end="")
        return 0
    print("\n".join(_report(directory, reading)))
    sys.stdout.flush()
    for warning in reading.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for fault in reading.faults:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if reading.faults else 0


def _default(configured: str) -> Path:
    """Return the folder of rules that a sensor would read."""
    from importlib.resources import files

    return Path(configured) if configured else Path(str(files("rules")))


def _report(directory: Path, reading: "Reading") -> list[str]:
    """Return the lines that say how many rules there are, by what they do and for which class."""
    actions = Counter(rule.action for rule in reading.rules)
    lines = [
        f"{_count(len(reading.rules), 'rule')} in {_count(reading.files, 'file')} of {directory}: "
        f"{actions['alert']} alert, {actions['pass']} pass; {reading.disabled} commented out, "
        f"{_count(len(reading.faults), 'error')}, {_count(len(reading.warnings), 'warning')}"
    ]
    kinds = Counter((name, rule.action) for rule in reading.rules for name in rule.classes or (ANY_CLASS,))
    if kinds:
        width = max(len("class"), *(len(name) for name, _ in kinds))
        lines += ["", f"{'class':<{width}}  action  rules"]
        lines += [f"{name:<{width}}  {action:<6}  {count:>5}" for (name, action), count in sorted(kinds.items())]
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
