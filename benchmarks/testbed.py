"""Is the testbed a toy? python -m benchmarks.testbed realism|transfer ...

realism RECORDING... --captures DIR --labels TSV [-o FILE.md] [--picture FILE.png]
    benign flows of recordings beside those of captures from real networks
transfer RECORDING... --captures DIR --labels TSV --flow-labels TSV [--cicids FOLDER...]
        [--train DAY...] [--test DAY...]
    plain detectors trained on one day: on another day, and on captures from real networks
"""

import argparse
import sys
import time
from pathlib import Path

from sensor.errors import NettrusionError
from training.config import load
from training.report.blocks import Block, Heading, Picture, markdown

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "training" / "first-light.toml"
SET, VARIANT = "cic2022", "cns22"


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def realism(args: argparse.Namespace) -> list[Block]:
    """Compare benign flows, made and real."""
    from sensor.features import FeatureSet
    from training.datasets import recordings
    from training.realism import picture, report
    from training.realism.sample import of_captures, of_recordings

    feature_set = FeatureSet.load(SET)
    names = [feature.name for feature in feature_set.features]
    made = of_recordings(recordings.read(args.data), feature_set, VARIANT)
    real = of_captures(args.captures, args.labels, feature_set, VARIANT)
    kinds = {str(kind): real.rows(real.group == kind) for kind in sorted(set(real.group.tolist()))}
    samples = {"testbed": made, "all": real, **kinds}
    say(f"{len(made):,} made and {len(real):,} real benign flows")
    blocks: list[Block] = [Heading("Benign flows of the testbed beside real ones", 1)]
    blocks += report.mixtures(samples)
    blocks += report.distributions(samples)
    if args.picture:
        blocks.append(Picture(picture.draw(args.picture, samples), "Share of flows up to each value."))
    if not args.no_classifier:
        say("who can be told from whom")
        blocks += report.tellings(made, real, names, load(SETTINGS).data.exclude, say)
    return blocks


def transfer(args: argparse.Namespace) -> list[Block]:
    """Train on a day, test on another and on real captures, beside CICIDS2017."""
    from training.evaluation import crossing
    from training.report import crossings

    course = crossing.Course(args.captures, args.labels, args.flow_labels, SET, VARIANT, args.seeds)
    found = crossing.run(course, args.data, args.cicids, (args.train, args.test), say)
    return crossings.document(found)


def main() -> int:
    """Run one comparison and print or write it as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.testbed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(required=True)
    for name, command in (("realism", realism), ("transfer", transfer)):
        one = commands.add_parser(name, help=command.__doc__)
        one.set_defaults(command=command)
        one.add_argument("data", nargs="*", type=Path, help="recordings: folders, or files of one")
        one.add_argument("--captures", type=Path, required=True, help="captures of real networks")
        one.add_argument("--labels", type=Path, required=True, help="what they are (tab-separated)")
        one.add_argument("-o", "--output", type=Path, help="Markdown; standard output if left out")
        if name == "realism":
            one.add_argument("--picture", type=Path, help="draw the distributions here (PNG)")
            one.add_argument("--no-classifier", action="store_true", help="distributions alone")
        else:
            one.add_argument("--flow-labels", type=Path, required=True, help="which of their flows are attacks")
            one.add_argument("--cicids", nargs="+", type=Path, default=(), help="the corrected CICIDS2017 release")
            one.add_argument("--train", nargs="+", default=(), help="days to learn from (default: the first)")
            one.add_argument("--test", nargs="+", default=(), help="days to test on (default: the others)")
            one.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    try:
        text = markdown(args.command(args), ".")
    except NettrusionError as error:
        print(f"benchmarks.testbed: {error}", file=sys.stderr)
        return error.exit_code
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
