"""`nettrusion evaluate`: any bundle, judged on labelled recordings and captures."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from sensor.detector import Detector
    from training.evaluation.elsewhere import Abroad
    from training.evaluation.transfer import Elsewhere
    from training.report.blocks import Block

SUMMARY = "judge a bundle on labelled recordings or captures: recall by class, ROC-AUC, false-positive rate"
RATES = (1e-2, 1e-3)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", type=Path, help="the bundle (.onnx)")
    parser.add_argument("data", nargs="*", type=Path, help="recordings: folders with NAME.labels.csv, or files of one")
    parser.add_argument("--captures", type=Path, metavar="DIR", help="labelled captures of other origin")
    parser.add_argument("--labels", type=Path, metavar="TSV", help="what the captures are")
    parser.add_argument("--flow-labels", type=Path, metavar="TSV", help="which of their flows are attacks")
    parser.add_argument(
        "--rates", nargs="+", type=float, default=RATES, metavar="RATE", help="false-positive rates to report recall at"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here too")


def run(args: argparse.Namespace) -> int:
    """Print tables in Markdown; returns 0. Raises NettrusionError with what is wrong."""
    from sensor.detector import Detector
    from sensor.features import FeatureSet
    from training.datasets import recordings
    from training.evaluation import recorded, transfer
    from training.report.blocks import Heading, Paragraph, markdown
    from training.report.judged import section

    _check(args)
    detector = Detector.load(args.model, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    meta, feature_set = detector.meta, detector.feature_set
    figures: dict[str, Any] = {
        "model": {"name": meta.name, "version": meta.version, "sha256": meta.sha256, "threshold": meta.threshold}
    }
    blocks: list[Block] = [
        Heading(f"{meta.name} {meta.version}", 1),
        Paragraph(f"{args.model.name}, sha256 {meta.sha256}, threshold {meta.threshold:.4f}."),
    ]
    if args.data:
        plain, fine = recorded.gather(recordings.read(args.data), feature_set, meta.variant)
        found = [_judge(detector, one, tuple(args.rates)) for one in (plain, fine)]
        figures["recordings"], figures["activities"] = (one.as_dict() for one in found)
        blocks += section("Recordings", *found)
    if args.captures:
        flows = transfer.load(args.captures, args.labels, args.flow_labels, feature_set, meta.variant)
        judged = _judge(detector, flows, tuple(args.rates))
        figures["captures"] = judged.as_dict()
        blocks += section("Captures of other origin", judged)
    print(markdown(blocks, ""), end="")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise NettrusionError for arguments that do not go together."""
    if not args.data and not args.captures:
        raise NettrusionError("no data: name recordings, or captures with --captures, --labels and --flow-labels")
    if args.captures and not (args.labels and args.flow_labels):
        raise NettrusionError("captures need their labels: name --labels and --flow-labels as well")
    for rate in args.rates:
        if not 0 < rate < 1:
            raise NettrusionError(f"--rates {rate:g}: a rate lies between 0 and 1")


def _judge(detector: "Detector", flows: "Elsewhere", rates: tuple[float, ...]) -> "Abroad":
    import numpy as np

    from training.evaluation import elsewhere

    if flows.attack.all():
        raise NettrusionError("the data has no benign flow: recall means nothing without false alerts beside it")
    scores = detector.score(flows.features)
    return elsewhere.judge(
        flows,
        scores.score.astype(np.float64),
        scores.probability.astype(np.float64),
        detector.meta.classes,
        detector.meta.threshold,
        rates,
    )
