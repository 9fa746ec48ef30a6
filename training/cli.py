"""`nettrusion train`: labelled flows in, a verified bundle and its card out."""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.errors import NettrusionError

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.models.candidate import Fitted

SUMMARY = "train the candidates, choose one by recall at the alert budget, export it with its card"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; each one stands above the same key of the settings file."""
    parser.add_argument("config", nargs="?", type=Path, help="settings (TOML); flags stand above it")
    parser.add_argument(
        "--data",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="folders of recordings (NAME.labels.csv beside the capture), of the CSVs of the corrected CICIDS2017"
        " release, or of other labelled data; they may be mixed",
    )
    parser.add_argument("--out", type=Path, help="folder to write, made if missing; default: runs/NAME of the settings")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keeps assembled tables; default: cache in the folder to write"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="fit everything anew; default: what an earlier run finished is taken"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="processes that fit at the same time; default: 1, a core each"
    )
    parser.add_argument("--assist", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, help="how many seeds every candidate is trained with")
    parser.add_argument("--budget", type=float, metavar="RATE", help="false-positive rate that sets the threshold")
    parser.add_argument("--candidates", nargs="+", metavar="NAME", help="only these; default: all")
    parser.add_argument("--captures", type=Path, metavar="DIR", help="labelled captures of other origin, for testing")
    parser.add_argument("--labels", type=Path, metavar="TSV", help="what the captures are")
    parser.add_argument("--flow-labels", type=Path, metavar="TSV", help="which flows are attacks")


def run(args: argparse.Namespace) -> int:
    """Train, choose, export and report; returns 0. Raises NettrusionError with what is wrong."""
    from training import experiment, outcome
    from training.bundle import price
    from training.cache import Cache
    from training.checkpoint import Store
    from training.config import TrainConfig, load

    config = _flags(load(args.config) if args.config else TrainConfig(), args)
    if not config.data.folders:
        raise NettrusionError("no data: name the folders of recordings or CSVs with --data DIR")
    runners = experiment.candidates(config)
    out = args.out or Path("runs") / config.name
    out.mkdir(parents=True, exist_ok=True)
    started, parent = time.monotonic(), os.getppid()

    def say(text: str) -> None:
        if args.assist:
            if os.getppid() != parent:
                raise SystemExit(1)  # Nobody waits for what is fitted here any more.
            return
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    cache = Cache(Path(config.data.cache) if config.data.cache else out / "cache", say)
    prepared = experiment.prepare(config, say, cache)
    for line in prepared.audit.lines():
        say(f"  {line}")
    store = Store(out / "fits", prepared.course)

    def priced(fitted: "Fitted") -> float | None:
        return price(fitted, prepared)

    if args.assist:
        experiment.fit_all(experiment.plan(prepared, runners, config), prepared, say, store, priced)
        return 0
    if args.fresh:
        store.clear()
    with _assistants(args, out):
        results = experiment.compete(prepared, runners, config, say, store, priced, args.jobs)
    say(results.choice.reason)
    done = outcome.finish(config, prepared, results, runners, _command(args), say)
    done.write(out)
    say(f"{out}: {', '.join(sorted(name for name in done.files if '/' not in name))}, model-card")
    print(json.dumps(done.headline, indent=2))
    return 0


def main(words: Sequence[str]) -> int:
    """Run the command alone, as those processes do that help another one."""
    parser = argparse.ArgumentParser(prog="nettrusion train", description=SUMMARY)
    configure(parser)
    return run(parser.parse_args(list(words)))


@contextmanager
def _assistants(args: argparse.Namespace, out: Path) -> Iterator[None]:
    """Have other processes of the same command fit what this one has not begun; they end with it."""
    if args.jobs < 1:
        raise NettrusionError(f"--jobs {args.jobs}: at least one process is needed")
    words = [str(args.config)] if args.config else []
    for name in ("data", "candidates"):
        words += [f"--{name}", *map(str, getattr(args, name))] if getattr(args, name) else []
    for name in ("seeds", "budget", "captures", "labels", "flow_labels", "cache"):
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    code = "import sys; from training.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *words, "--out", str(out), "--assist"]
    helpers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(args.jobs - 1)]
    try:
        yield
    finally:
        for helper in helpers:
            helper.terminate()
        for helper in helpers:
            helper.wait()


def _flags(config: "TrainConfig", args: argparse.Namespace) -> "TrainConfig":
    """Return the settings with the flags that were given put above them."""
    if args.data:
        config = replace(config, data=replace(config.data, folders=tuple(str(path) for path in args.data)))
    if args.seeds is not None:
        if args.seeds < 1:
            raise NettrusionError(f"--seeds {args.seeds}: at least one seed is needed")
        models = config.models
        fewer = {key: min(getattr(models, key), args.seeds) for key in ("left_out_seeds", "source_seeds")}
        config = replace(config, models=replace(models, seeds=args.seeds, **fewer))
    if args.cache:
        config = replace(config, data=replace(config.data, cache=str(args.cache)))
    if args.candidates:
        config = replace(config, models=replace(config.models, candidates=tuple(args.candidates)))
    if args.budget is not None:
        if not 0 < args.budget < 1:
            raise NettrusionError(f"--budget {args.budget}: a rate lies between 0 and 1")
        config = replace(
            config,
            budget=replace(config.budget, rate=args.budget, alerts_a_day=None, flows_a_day=None),
        )
    given = {"captures": args.captures, "labels": args.labels, "flows": args.flow_labels}
    chosen = {key: str(path) for key, path in given.items() if path is not None}
    return replace(config, transfer=replace(config.transfer, **chosen))


def _command(args: argparse.Namespace) -> str:
    """Return the command to quote in the card, folders of this machine left out."""
    words = ["nettrusion train"]
    if args.config:
        words.append(args.config.as_posix() if not args.config.is_absolute() else args.config.name)
    if args.data:
        words.append("--data " + " ".join(path.name for path in args.data))
    if args.seeds is not None:
        words.append(f"--seeds {args.seeds}")
    if args.budget is not None:
        words.append(f"--budget {args.budget:g}")
    if args.candidates:
        words.append("--candidates " + " ".join(f"'{name}'" for name in args.candidates))
    if args.captures:
        words.append("--captures DIR --labels labels.tsv --flow-labels flows.tsv")
    return " ".join([*words, "--out DIR"] if args.out else words)
