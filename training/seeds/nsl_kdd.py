"""The second seed: a denoising autoencoder on NSL-KDD, run again as it was, then improved.

Learnt from KDDTrain+_20Percent alone, judged on KDDTest+ and KDDTest-21. Everything was chosen on
parts of the training file (`nsl_kdd_choice`); `--choose` shows that table again.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sensor.errors import NettrusionError
from training.datasets.audit import audit
from training.datasets.benchmark import REFUSAL, Benchmark
from training.datasets.nsl_kdd import find, read
from training.seeds import nsl_kdd_choice
from training.seeds.nsl_kdd_figures import judge, summary, table
from training.seeds.nsl_kdd_models import CHOSEN, CHOSEN_LATER, Detector, SeedAutoencoder, detectors
from training.splits.parts import Split

SUMMARY = "NSL-KDD: the denoising autoencoder as it was, and what improves on it (a benchmark of the model code)"
TRAIN, TEST, HARD = "KDDTrain+_20Percent.txt", "KDDTest+.txt", "KDDTest-21.txt"
HELD_OUT = 0.2
"""Share of the normal train rows that no detector learns from: they set thresholds."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("data", type=Path, metavar="DIR", help=f"folder with {TRAIN}, {TEST} and {HARD}")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, made if missing")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds (default 5)")
    parser.add_argument("--detectors", nargs="+", metavar="NAME", help="only these; default: all")
    parser.add_argument("--rows", type=int, metavar="N", help="at most so many rows of each file: a quick look")
    parser.add_argument("--choose", action="store_true", help="only the table that detectors were chosen by")


@dataclass(frozen=True, slots=True)
class Files:
    """The three files, read as one so that words count alike."""

    whole: Benchmark
    train: Benchmark
    test: Benchmark
    hard: Benchmark


def run(args: argparse.Namespace) -> int:
    """Fit, judge and write; returns 0. Raises NettrusionError with what is wrong."""
    if args.seeds < 1:
        raise NettrusionError(f"--seeds {args.seeds}: at least one seed is needed")
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    wanted = _wanted(args.detectors)
    files = open_files(args.data, args.rows)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.choose:
        found = choose(files.train, wanted, say)
        (args.out / "choice.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return 0
    metrics = {
        "what": f"{REFUSAL}: {TRAIN} to {TEST}",
        "rows limited": args.rows,
        "data": files.whole.manifest.as_dict(),
        "audit": smells(files).as_dict(),
        "detectors": judged(files, wanted, args.seeds, say),
    }
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    text = written(metrics["detectors"], args.seeds)
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def open_files(folder: Path, rows: int | None = None) -> Files:
    """Read the three files of a folder; `rows` keeps so many of each, evenly spread.

    Raises NettrusionError when one is missing or cannot be read.
    """
    if not folder.is_dir():
        raise NettrusionError(f"{folder}: no such folder; give the one with {TRAIN}")
    found = {path.name: path for path in find(folder)}
    if missing := [name for name in (TRAIN, TEST, HARD) if name not in found]:
        raise NettrusionError(f"{folder}: no {', '.join(missing)}; give the folder of NSL-KDD with all three files")
    whole = read([found[name] for name in (TRAIN, TEST, HARD)])
    if rows is not None:
        parts = [np.flatnonzero(whole.source == number) for number in range(3)]
        spread = [part[np.linspace(0, len(part) - 1, min(rows, len(part))).astype(int)] for part in parts]
        whole = whole.rows(np.concatenate(spread))
    return Files(whole, whole.of(TRAIN), whole.of(TEST), whole.of(HARD))


def held_out(train: Benchmark, seed: int) -> tuple[Benchmark, Benchmark]:
    """Return the rows to learn from, and the normal rows held out, drawn by the seed."""
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(train.benign))
    held = np.zeros(len(train), dtype=bool)
    held[normal[: max(1, int(len(normal) * HELD_OUT))]] = True
    return train.rows(~held), train.rows(held)


def judged(files: Files, wanted: list[Detector], seeds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return runs and summary of every detector, on both test files."""
    found = {}
    for detector in wanted:
        plus, hard = [], []
        for seed in range(seeds):
            train, held = held_out(files.train, seed)
            rule = None
            if isinstance(detector, SeedAutoencoder):
                score, rule = detector.fit_with_loss(train, seed)
            else:
                score = detector.fit(train, seed)
            quiet = score(held)
            plus.append(judge(files.test, score(files.test), quiet, seed, rule))
            hard.append(judge(files.hard, score(files.hard), quiet, seed, rule))
            exact = ", ".join(f"{value:.3f} at {rate}" for rate, value in plus[-1].tpr_at_exactly.items())
            say(f"{detector.name}, seed {seed}: AUC {plus[-1].auc:.3f}, TPR {exact}")
        found[detector.name] = {
            "labels": detector.labels,
            TEST: summary(plus),
            HARD: summary(hard),
            "runs": {TEST: [one.as_dict() for one in plus], HARD: [one.as_dict() for one in hard]},
        }
    return found


def smells(files: Files) -> Any:
    """Return the audit of train against test."""
    rows = np.arange(len(files.whole))
    train, test, hard = (rows[files.whole.source == number] for number in range(3))
    return audit(files.whole, Split("another day", train, rows[:0], test, hard))


def choose(train: Benchmark, wanted: list[Detector], say: Callable[[str], None]) -> dict[str, Any]:
    """Return recall on attack types left out, a detector each; see `nsl_kdd_choice`."""
    found = {}
    for detector in wanted:
        found[detector.name] = nsl_kdd_choice.recall(train, detector)
        means = [f"{one['kinds']:.3f} and {one['rows']:.3f} at {rate}" for rate, one in found[detector.name].items()]
        say(f"{detector.name}: recall by kinds and by rows {', '.join(means)}")
    return found


def written(found: dict[str, Any], seeds: int) -> str:
    """Return both tables as Markdown."""
    parts = []
    for name in (TEST, HARD):
        lines = {_titled(key, one["labels"]): one[name] for key, one in found.items()}
        parts.append(
            f"{TRAIN} to {name}, means of {seeds} seeds [least, largest];"
            f" bold: chosen on {TRAIN} alone\n\n{table(lines)}"
        )
    return "\n".join(parts)


def _titled(name: str, labels: bool) -> str:
    title = f"{name} (labels)" if labels else name
    look = "first" if name in CHOSEN.values() else "second" if name in CHOSEN_LATER.values() else ""
    return f"**{title}**, {look} choice" if look else title


def _wanted(names: list[str] | None) -> list[Detector]:
    known = {detector.name: detector for detector in detectors()}
    if unknown := [name for name in names or () if name not in known]:
        raise NettrusionError(f"no detector {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names or known]
