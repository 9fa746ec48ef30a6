"""`nettrusion drift`: whether the model still fits the traffic, hour by hour or day by day."""

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sensor.cli.calibrate import add_traffic, effective, say_faults
from sensor.cli.config import add_set
from sensor.cli.finding import clock, hours, rate

if TYPE_CHECKING:
    from sensor.calibration import Calibration
    from sensor.config import Config
    from sensor.detector import Detector
    from sensor.fit import Judgement, Seen, Standard

SUMMARY = "tell whether the model still fits the traffic"
UNFIT = 3
HELP_END = """\
Scores below the threshold are held against those of the calibration (of the bundle, where there is none), alerts
against the budget, and features against those of training: of captures all of them, of flow events those that they
tell (packets, duration, rates, protocol), by which a model is never called worse than watch. Classes are only counted.
Verdicts: ok, watch, recalibrate, retrain; few where there were too few flows for one. What counts is the last stretch
of time that has a verdict: the exit code is 3 when it is recalibrate or retrain, so that cron can send mail, and 0
otherwise.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion drift`."""
    parser.epilog = HELP_END
    add_traffic(parser)
    parser.add_argument("--budget", metavar="N/TIME", help="as 20/day (default: that of the calibration)")
    parser.add_argument("--by", choices=("hour", "day"), help="stretches of time (default: hours of up to two days)")
    parser.add_argument(
        "--against",
        choices=("own", "bundle"),
        help="whose scores to expect: the calibration's (the default where there is one) or the bundle's",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_set(parser)


def run(args: argparse.Namespace) -> int:
    """Read, judge and print; 3 when the model does not fit the last traffic that can be judged."""
    from sensor.calibration import AlertBudget
    from sensor.cli.progress import Progress
    from sensor.fit import History, Standard, Told, Verdict, judge
    from sensor.rulebook import RuleError, read_directory, rule_variables
    from sensor.scoring import load_detector, rules_folder, threshold
    from sensor.traffic import Traffic, nothing_usable, sort_out

    config = effective(args)
    budget = AlertBudget.parse(args.budget) if args.budget else None
    detector = load_detector(config)
    calibration = own_calibration(config, detector, args.against)
    reading = read_directory(rules_folder(config), rule_variables(config))
    if reading.faults:
        raise RuleError(reading.faults)
    inputs = sort_out(args.traffic)
    told = Told.of(detector) if inputs.events else None
    standard = Standard.of(detector.meta, threshold(config, detector), calibration, budget, told)
    history = History(standard)
    with Progress() as progress:
        traffic = Traffic(config, detector, progress)
        for batch in traffic.read(inputs, args.source):
            history.add(batch)
    say_faults(traffic, inputs.skipped)
    if not history.flows:
        raise nothing_usable(traffic.counts, f"{detector.meta.name} {detector.meta.version}")
    history.alert(reading, detector.meta.calibration if calibration is None else calibration.table)
    by = args.by or history.suited
    judged = [(seen, judge(seen, standard)) for seen in history.periods(by)]
    last = next((judgement for _, judgement in reversed(judged) if judgement.verdict is not Verdict.few), None)
    if args.json:
        print(json.dumps(as_json(judged, last, standard, detector, traffic.counts), indent=1))
    else:
        print(*heading(standard, detector, calibration, traffic.counts), sep="\n")
        print(*table(judged, by), sep="\n")
        print(*conclusion(last), sep="\n")
    return UNFIT if last is not None and last.verdict >= Verdict.recalibrate else 0


def own_calibration(config: "Config", detector: "Detector", against: str | None) -> "Calibration | None":
    """Return the calibration to hold scores against: the one in force, or one that lies where it would be."""
    from sensor.calibration import calibration_path, read_calibration

    if against == "bundle":
        return None
    path = calibration_path(config.detector)
    if detector.calibration is not None or (against is None and not path.exists()):
        return detector.calibration
    return read_calibration(path, detector.meta.sha256)


def heading(
    standard: "Standard", detector: "Detector", calibration: "Calibration | None", counts: Any
) -> Iterator[str]:
    """Yield what is held against what."""
    meta = detector.meta
    yield f"model        {meta.name} {meta.version}, sha256 {meta.sha256[:12]}; threshold {standard.threshold:.6f}"
    if calibration is None:
        yield (
            f"against      the bundle's {meta.budget.flows:,} benign flows, of another network; a closer one is made"
            " by: nettrusion calibrate"
        )
    else:
        yield f"against      your own traffic: {calibration.sentence}"
    if standard.budget is not None:
        yield f"budget       {standard.budget}"
    else:
        yield f"budget       none; by the bundle {standard.share or 0:.2%} of benign flows reach the threshold"
    yield f"compared     {compared(standard)}"
    left = ", ".join(f"{count:,} {why}" for why, count in counts.most_common())
    if left:
        yield f"left out     {left}"
    yield ""


def compared(standard: "Standard") -> str:
    """Return what is held against anything, and what is not."""
    names = standard.features.names
    if standard.told is None:
        words = f"{len(names)} features"
    elif names:
        words = f"{len(names)} of {standard.known} features, those that events tell; captures tell the others"
    else:
        words = "no feature, for events tell none that this model reads; captures do"
    return (
        f"scores; alerts; {words}\n{'not compared':<13}classes: neither bundle nor calibration says how many to expect"
    )


def table(judged: "Sequence[tuple[Seen, Judgement]]", by: str) -> Iterator[str]:
    """Yield a line a stretch of time, and below it why it has its verdict."""
    yield (
        f"{by:<13}  {'flows':>10}  {'seen':>9}  {'alerts':>7}  {'a day':>7}  {'above':>7}"
        "  scores    psi  features  verdict"
    )
    for seen, one in judged:
        yield (
            f"{stamp(seen.start_ns, by):<13}  {seen.flows:>10,}  {hours(seen.period.days):>9}  {one.alerts:>7,}"
            f"  {'-' if one.alerts_per_day is None else rate(one.alerts_per_day):>7}  {one.share:>7.2%}"
            f"  {number(one.distance):>6}  {number(one.stability):>5}  {number(one.features):>8}  {one.verdict.name}"
        )
        yield from (f"    {reason}" for reason in one.reasons)
        classes = ", ".join(f"{name} {count:,}" for name, count in seen.alerts.most_common())
        if classes:
            yield f"    alerts: {classes}"


def conclusion(last: "Judgement | None") -> Iterator[str]:
    """Yield what to do."""
    from sensor.fit import Verdict

    words = {
        Verdict.ok: "ok: the model fits the latest traffic",
        Verdict.watch: "watch: look again tomorrow; when it stays, calibrate anew",
        Verdict.recalibrate: "recalibrate: nettrusion calibrate --budget ... on recent traffic without attacks",
        Verdict.retrain: (
            "retrain: calibrating can keep the number of alerts, but the model knows little of this traffic; if this"
            " is not an attack or a fault of the capture, train one that has seen such traffic"
        ),
    }
    yield ""
    yield "no verdict: too few flows in every stretch of time" if last is None else words[last.verdict]


def stamp(start_ns: int, by: str) -> str:
    """Return when a stretch begins."""
    from sensor.calibration import time_text

    text = clock(time_text(start_ns))
    return text[:10] if by == "day" else text[:13] + "h"


def number(value: float | None) -> str:
    """Return a distance, `-` where it is not known."""
    return "-" if value is None else f"{value:.2f}"


def as_json(
    judged: "Sequence[tuple[Seen, Judgement]]",
    last: "Judgement | None",
    standard: "Standard",
    detector: "Detector",
    counts: Any,
) -> dict[str, Any]:
    """Return everything for programs."""
    from sensor.calibration import time_text

    return {
        "model": f"{detector.meta.name} {detector.meta.version}",
        "sha256": detector.meta.sha256,
        "threshold": standard.threshold,
        "against": standard.basis,
        "budget": None if standard.budget is None else str(standard.budget),
        "verdict": None if last is None else last.verdict.name,
        "features_compared": list(standard.features.names),
        "features_known": standard.known,
        "left_out": dict(counts),
        "periods": [
            {
                "start": time_text(seen.start_ns),
                "flows": seen.flows,
                "hours": seen.period.days * 24,
                "alerts": one.alerts,
                "alerts_per_day": one.alerts_per_day,
                "share_above": one.share,
                "score_distance": one.distance,
                "score_psi": one.stability,
                "feature_distance": one.features,
                "worst_features": dict(one.worst),
                "alerts_by_class": dict(seen.alerts),
                "flows_by_class": dict(seen.reaching),
                "verdict": one.verdict.name,
                "reasons": list(one.reasons),
            }
            for seen, one in judged
        ],
    }
