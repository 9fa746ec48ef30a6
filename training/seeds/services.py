"""`nettrusion seed services`: the language model over services, and what it owes to knowing who is who.

The seed read the services of a host pair as a sentence and called an attack what the sentence did not
lead one to expect. Here it is trained on normal flows alone, judged by time and at an alert budget, beside
models that only count and beside itself without the ports.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from sensor.errors import NettrusionError

SUMMARY = "seed one: a language model over the services of host pairs, judged with and without the services"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `nettrusion seed services`."""
    parser.add_argument(
        "places",
        nargs="+",
        type=Path,
        metavar="XML|CSV|DIR",
        help="flow files of ISCXIDS2012, recordings (NAME.labels.csv beside the capture), or folders of them",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, made if missing")
    parser.add_argument("--seeds", type=int, default=5, help="seeds for every alphabet (default: 5)")
    parser.add_argument("--epochs", type=int, help="passes over the training rows (default: the recipe's)")
    parser.add_argument("--rows", type=int, help="training rows at most, evenly spread (default: the recipe's)")
    parser.add_argument("--train", type=float, default=0.5, help="share of the hours that trains (default: 0.5)")
    parser.add_argument("--calibrate", type=float, default=0.2, help="share that sets thresholds (default: 0.2)")
    parser.add_argument("--hold", type=float, default=0.2, help="share of sources kept from training (default: 0.2)")


def run(args: argparse.Namespace) -> int:
    """Read, split by time, train, judge and write services.md and services.json; returns 0.

    Raises NettrusionError with what is wrong.
    """
    if args.seeds < 1 or args.train <= 0 or args.calibrate <= 0 or args.train + args.calibrate >= 1:
        raise NettrusionError("--seeds is at least 1; --train and --calibrate are above 0, and below 1 together")
    if not 0 <= args.hold < 1:
        raise NettrusionError(f"--hold {args.hold}: a share of the sources, at least 0 and below 1")
    from training.seeds.sequences import contest, judging, network, report
    from training.seeds.sequences.events import read

    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    events, sources = read(args.places)
    for source in sources:
        say(source)
    parts = judging.split(events, args.train, args.calibrate, args.hold)
    given = {"epochs": args.epochs, "rows": args.rows}
    recipe = network.Recipe(**{name: value for name, value in given.items() if value is not None})
    results = list(contest.run(events, parts, recipe, args.seeds, say))
    args.out.mkdir(parents=True, exist_ok=True)
    written = report.markdown(events, parts, results, sources)
    (args.out / "services.md").write_text(written, encoding="utf-8")
    figures = json.dumps([result.as_dict() for result in results], indent=1)
    (args.out / "services.json").write_text(figures + "\n", encoding="utf-8")
    say(f"{args.out}: services.md, services.json")
    print(written)
    return 0
