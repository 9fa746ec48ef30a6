"""`nettrusion calibrate`: the threshold that keeps one's own traffic within a budget of alerts."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.cli.config import add_set
from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from sensor.calibrating import Gathered
    from sensor.config import Config
    from sensor.rulebook.addresses import AddressSet
    from sensor.selftest import SelftestResult
    from sensor.traffic import Traffic

SUMMARY = "set the threshold from one's own traffic, by a budget of alerts"
HELP_END = """\
An alert is an incident, as the rules make one of many flows. The threshold is the lowest score at which the traffic
makes no more alerts than the budget. Its alerts are counted on the traffic that it was chosen on, which flatters them a
little: as a check a second one is chosen on the earlier half of the time, and its alerts are counted on the later half.
What is written, beside the model, is the first; it comes into force with detector.threshold = "calibrated". Attacks
in the traffic raise it: look at the list that is printed.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion calibrate`."""
    parser.epilog = HELP_END
    add_traffic(parser)
    parser.add_argument("--budget", required=True, metavar="N/TIME", help="as 20/day, 1/hour or 5/week")
    parser.add_argument(
        "--certain",
        action="store_true",
        help="keep the 95 %% upper limit of the rate within the budget, not the rate that was seen",
    )
    parser.add_argument(
        "--leave-out",
        metavar="ADDRESSES",
        help='flows from or to these are left out, as in rules: 192.0.2.1 or "[192.0.2.0/24,2001:db8::1]"',
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write here (default: detector.calibration, beside the model)"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_set(parser)


def add_traffic(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what traffic is read and what it is judged by."""
    parser.add_argument(
        "traffic",
        nargs="+",
        metavar="CAPTURE_OR_EVE",
        help="captures, event files of this sensor with flow events (eve.json, rotated and .gz too), folders of either",
    )
    parser.add_argument("--model", metavar="FILE", help="the model bundle (default: the one of the sensor)")
    parser.add_argument("--rules", metavar="DIR", help="the folder of rules (default: the one of the sensor)")
    parser.add_argument("--source", choices=("file", "scapy", "tshark"), default="file", help="who reads the captures")
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="a sensor.toml; without it, the defaults")


def run(args: argparse.Namespace) -> int:
    """Read, find, print and write; 1 when no threshold keeps the budget."""
    from sensor.calibrating import calibrate, calibration_of
    from sensor.calibration import AlertBudget, calibration_path, write_calibration
    from sensor.cli.finding import as_json, report
    from sensor.rulebook import read_directory, rule_variables
    from sensor.scoring import load_detector, rules_folder

    budget = AlertBudget.parse(args.budget)
    config = effective(args)
    # What is in force may be a calibration that is to be replaced, or that there is not yet.
    plain = replace(config, detector=replace(config.detector, threshold="model"))
    detector = load_detector(plain)
    reading = read_directory(rules_folder(config), rule_variables(config))
    if reading.faults:
        from sensor.rulebook import RuleError

        raise RuleError(reading.faults)
    traffic, gathered = gather(args, config, detector)
    finding = calibrate(gathered, reading, detector.meta, budget, certain=args.certain)
    made = calibration_of(finding, detector.meta)
    path = args.output or calibration_path(config.detector)
    found = None if made is None else selftest(config, made.threshold)
    if args.json:
        print(json.dumps(as_json(finding, detector.meta, traffic, found), indent=1))
    else:
        print(*report(finding, detector.meta, traffic), sep="\n")
        if found is not None:
            said = f"{found.alerts} alerts with this threshold" if found.passed else f"FAILED: {found.sentence}"
            print(f"\nselftest     {said}")
    if made is None or found is None:
        raise NettrusionError(
            f"no threshold keeps {budget}: flows of the highest score there is make more alerts; allow more,"
            " or let the flows above pass by a rule if they are as they should be"
        )
    if not found.passed and not args.dry_run:
        raise NettrusionError(
            f"nothing was written: with the threshold {made.threshold:.6f} the sensor would refuse to start"
            " (see selftest); if there are attacks in this traffic --leave-out their addresses, else allow more alerts"
        )
    if args.dry_run:
        return 0
    write_calibration(path, made)
    if not args.json:
        print(f"written      {path}")
        print(*(f"             {line}" for line in in_force(config, path, given=args.output is not None)), sep="\n")
    return 0


def effective(args: argparse.Namespace) -> "Config":
    """Return the configuration with what the command line says above it."""
    from sensor.config import load

    config = load(args.config, overrides=args.overrides).config
    return replace(
        config,
        detector=replace(config.detector, model=args.model or config.detector.model),
        rules=replace(config.rules, directory=args.rules or config.rules.directory),
    )


def gather(args: argparse.Namespace, config: "Config", detector: Any) -> "tuple[Traffic, Gathered]":
    """Read everything that was named. Raises NettrusionError when no flow is in it."""
    from sensor.calibrating import Gathered
    from sensor.cli.progress import Progress
    from sensor.traffic import Traffic, nothing_usable, sort_out

    inputs = sort_out(args.traffic)
    gathered = Gathered(leave_out=addresses(args.leave_out, config))
    with Progress() as progress:
        traffic = Traffic(config, detector, progress)
        for batch in traffic.read(inputs, args.source):
            gathered.add(batch)
    say_faults(traffic, inputs.skipped)
    if gathered.set_aside and not gathered.levels.flows:
        raise NettrusionError(f"--leave-out {args.leave_out}: leaves out every flow; name fewer addresses")
    if gathered.set_aside:
        traffic.counts["flows of the addresses named"] += gathered.set_aside
    if not gathered.levels.flows:
        raise nothing_usable(traffic.counts, f"{detector.meta.name} {detector.meta.version}")
    return traffic, gathered


def addresses(group: str | None, config: "Config") -> "AddressSet | None":
    """Return a group of addresses, None for none. Raises NettrusionError for what is no such group."""
    from sensor.rulebook import rule_variables
    from sensor.rulebook.addresses import parse_addresses

    if group is None:
        return None
    try:
        return parse_addresses(group, rule_variables(config))
    except ValueError as error:
        raise NettrusionError(f"--leave-out {group}: {error}") from error


def say_faults(traffic: "Traffic", skipped: tuple[str, ...]) -> None:
    """Print what is wrong with the input on standard error."""
    from sensor.cli.progress import printable

    for fault in traffic.faults:
        print(f"nettrusion: warning: {printable(fault)}", file=sys.stderr)
    damaged = traffic.counts["damaged"]
    if damaged:
        print(f"nettrusion: warning: {damaged:,} damaged lines were left out; the others count", file=sys.stderr)
    if skipped:
        names = printable(", ".join(skipped[:3])) + (" and others" if len(skipped) > 3 else "")
        print(f"nettrusion: warning: {len(skipped):,} files are empty or no traffic: {names}", file=sys.stderr)


def selftest(config: "Config", threshold: float) -> "SelftestResult":
    """Return whether the attacks of the bundled capture are still found with a threshold."""
    from sensor.selftest import run_selftest

    return run_selftest(replace(config, detector=replace(config.detector, threshold=threshold)))


def in_force(config: "Config", path: Path, *, given: bool) -> Iterator[str]:
    """Yield what is left to do until the calibration is in force."""
    todo = [] if config.detector.threshold == "calibrated" else ['detector.threshold = "calibrated"']
    if given and Path(config.detector.calibration or "/") != path:
        todo.append(f'detector.calibration = "{path.absolute()}"')
    if todo:
        yield f"to use it: {' and '.join(todo)} in sensor.toml,"
        yield "then systemctl reload nettrusion@IFACE"
    else:
        yield "to use it: systemctl reload nettrusion@IFACE"
