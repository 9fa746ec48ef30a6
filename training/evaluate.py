"""`nettrusion evaluate`: any bundles, judged side by side on labelled data of any kind."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from sensor.detector import Detector
    from training.evaluation.evidence import Evidence
    from training.evaluation.judged import Judged
    from training.evaluation.subject import Floats
    from training.report.blocks import Block

Say = Callable[[str], None]
SUMMARY = "judge bundles on labelled data: recall by class at a false-positive rate, incidents, time to detect"
RATES = (1e-2, 1e-3)
MODEL = ".onnx"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="MODEL",
        help="bundles (.onnx) to judge side by side; data may follow them",
    )
    parser.add_argument(
        "--data",
        nargs="+",
        type=Path,
        default=[],
        metavar="DATA",
        help="folders or files of labelled data: recordings, labelled captures, Zeek logs, eve.json with verdicts,"
        " published releases",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="TSV", help="what the captures of DATA are, where no labels.tsv lies among them"
    )
    parser.add_argument("--flow-labels", type=Path, metavar="TSV", help="which of their flows are attacks")
    parser.add_argument("--captures", type=Path, metavar="DIR", help="the captures that --labels is about, if not DATA")
    parser.add_argument("--verdicts", type=Path, metavar="TSV", help="what an analyst said of the flows of an eve.json")
    parser.add_argument(
        "--rates", nargs="+", type=float, default=RATES, metavar="RATE", help="false-positive rates to report recall at"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here too")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the tables, ROC and precision-recall here")


def run(args: argparse.Namespace) -> int:
    """Print tables; returns 0. Raises NettrusionError with what is wrong."""
    from training.report.blocks import Heading, markdown
    from training.report.judged import aligned, section

    names, places = _sorted(args.what, args.data)
    _check(args, places)
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    models = _models(names)
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
    blocks: list[Block] = [Heading("What is found, and at what price", 1), _about(models)]
    found: list[Judged] = []
    for number, evidence in enumerate(_gather(args, places, models, say)):
        judged, scores = _judge(models, evidence, tuple(args.rates), say)
        found += judged
        blocks += section(judged)
        if args.out:
            blocks.append(_picture(args.out / f"roc-{number}.png", evidence, scores, tuple(args.rates)))
    print(markdown(aligned(blocks), "."), end="")
    said = json.dumps([one.as_dict() for one in found], indent=1, sort_keys=True) + "\n"
    if args.json:
        args.json.write_text(said, encoding="utf-8")
    if args.out:
        (args.out / "evaluation.md").write_text(markdown(blocks, "."), encoding="utf-8")
        (args.out / "evaluation.json").write_text(said, encoding="utf-8")
    return 0


def _sorted(what: Sequence[Path], data: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the bundles and the data among what was named: the first is a bundle, and whatever is called so."""
    models = [path for place, path in enumerate(what) if not place or path.suffix == MODEL]
    return models, [path for path in (*what, *data) if path not in models]


def _check(args: argparse.Namespace, places: Sequence[Path]) -> None:
    """Raise NettrusionError for arguments that do not go together."""
    if not places and not args.captures:
        raise NettrusionError("no data: name folders or files of labelled data with --data")
    if args.captures and not args.labels:
        raise NettrusionError("captures need their labels: name --labels as well")
    if args.flow_labels and not args.labels:
        raise NettrusionError("--flow-labels is about captures: name their --labels as well")
    for rate in args.rates:
        if not 0 < rate < 1:
            raise NettrusionError(f"--rates {rate:g}: a rate lies between 0 and 1")


def _models(names: Sequence[Path]) -> "list[Detector]":
    from sensor.detector import Detector
    from sensor.features import FeatureSet

    sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    return [Detector.load(path, sets) for path in names]


def _about(models: "Sequence[Detector]") -> "Block":
    """Return which bundles are judged."""
    from training.report.blocks import Bullets

    return Bullets(
        [
            f"{name}: {one.meta.path.name}, sha256 {one.meta.sha256},"
            f" features {one.feature_set.name} ({one.meta.variant}), threshold {one.meta.threshold:.4f}"
            for name, one in zip(_names(models), models, strict=True)
        ]
    )


def _gather(
    args: argparse.Namespace, places: Sequence[Path], models: "Sequence[Detector]", say: Say
) -> "Iterator[Evidence]":
    """Yield every body of data that was named: captures first, then a kind after the other."""
    from training.datasets import eve_verdicts, folders, labelled_captures, zeek_labelled
    from training.evaluation import evidence

    left = list(places)
    if args.labels:
        folder = args.captures or _folder_of(left, args.labels)
        left = [place for place in left if place != folder]
        say(f"{folder}: captures of {args.labels.name}")
        yield evidence.of_captures(folder, args.labels, args.flow_labels)
    if args.verdicts:
        logs = [place for place in left if place.is_file()]
        left = [place for place in left if place not in logs]
        yield evidence.of_records(eve_verdicts.NAME, eve_verdicts.read(logs, args.verdicts))
    for kind, own in folders.sorted_by_kind(left).items():
        say(f"{', '.join(map(str, own))}: {kind.name}")
        if kind is folders.RECORDINGS:
            yield evidence.of_recordings(own)
        elif kind is folders.CAPTURES:
            for labels in (path for place in own for path in labelled_captures.find(place)):
                flows = labels.with_name(labelled_captures.FLOWS)
                yield evidence.of_captures(labels.parent, labels, flows if flows.is_file() else None)
        elif kind is folders.ZEEK:
            yield evidence.of_records(zeek_labelled.NAME, zeek_labelled.read(own))
        elif kind is folders.EVE:
            yield evidence.of_records(eve_verdicts.NAME, eve_verdicts.read(own))
        else:
            tables = {
                (one.feature_set.name, one.meta.variant): kind.load(own, one.feature_set, one.meta.variant).table
                for one in models
            }
            yield evidence.of_tables(kind.name, tables)


def _folder_of(places: Sequence[Path], labels: Path) -> Path:
    """Return the folder among the data in which the captures of a table of labels lie."""
    from training.datasets.labelled_captures import listed

    first = next(listed(labels), None)
    for place in (*places, labels.parent):
        if first is not None and (place / first.file).is_file():
            return place
    named = first.file if first is not None else "a capture"
    raise NettrusionError(f"{labels}: {named} lies below none of {', '.join(map(str, places))}; name their folder")


def _judge(
    models: "Sequence[Detector]", evidence: "Evidence", rates: tuple[float, ...], say: Say
) -> "tuple[list[Judged], dict[str, Floats]]":
    """Return figures and scores of every bundle, and of what was recorded with the data if it was."""
    from training.evaluation.grouping import shipped
    from training.evaluation.judged import judge
    from training.evaluation.subject import Subject

    subjects = []
    for one, name in zip(models, _names(models), strict=True):
        # A bundle that cannot read the data says so itself, unless what was said at the time can be judged.
        if evidence.recorded is None or evidence.only in ("", one.feature_set.name):
            subjects.append(Subject.of(one, name))
        else:
            say(
                f"{evidence.name}: has no {one.feature_set.name} for {name};"
                " what was recorded is judged, by its threshold"
            )
    if evidence.recorded is not None:
        subjects.append(Subject.as_recorded(models[0].meta.threshold))
    rulebook = shipped()
    found, scores = [], {}
    for subject in subjects:
        say(f"{evidence.name}: {subject.name}")
        scored = subject.score(evidence)
        scores[subject.name] = scored[0]
        # One score serves the figures and the picture.
        found.append(judge(subject.scored(scored), evidence, rates, rulebook))
    return found, scores


def _picture(path: Path, evidence: "Evidence", scores: "dict[str, Floats]", rates: tuple[float, ...]) -> "Block":
    """Draw recall over the false-positive rate and precision over recall, a line for each model."""
    from training.evaluation.judged import reference
    from training.report import pictures
    from training.report.blocks import Picture

    rows, weight = reference(evidence)
    drawn = {name: score[rows] for name, score in scores.items()}
    pictures.roc_and_pr(path, evidence.benign[rows], weight, drawn, dict.fromkeys(rates, 1.0))
    return Picture(path, f"{evidence.name}: recall over false-positive rate, and precision over recall")


def _names(models: "Sequence[Detector]") -> list[str]:
    """Return a name for each bundle, its file's added where two are called the same."""
    found = [f"{one.meta.name} {one.meta.version}" for one in models]
    for depth in (1, 2):
        again = [name for name in found if found.count(name) > 1]
        tails = ["/".join(one.meta.path.parts[-depth:]) for one in models]
        found = [f"{name} ({tail})" if name in again else name for name, tail in zip(found, tails, strict=True)]
    return found
