"""What every kind of act must keep: the same seed gives the same act, another one another."""

import importlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import Elsewhere, Paper, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.acts import Kind


def on_paper(kind: Kind, folder: Path, seed: int, at: str = "desk") -> Paper:
    """Play a kind where no program runs, always in the same folder, so that commands can be compared."""
    own = folder / "act"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    return played(kind, Elsewhere(folder), own, seed, at)


def shown(stage: Paper) -> str:
    """Return all that was done on a stage as one text."""
    return f"{stage.commands} {stage.said} {stage.paused_s:.9f}"


def hold(kinds: Sequence[Kind], folder: Path, seeds: int = 12) -> None:
    """Check that kinds repeat with the seed, differ without it, and name each program that they run."""
    for kind in kinds:
        acts = [on_paper(kind, folder, seed) for seed in range(seeds)]
        texts = [shown(act) for act in acts]
        assert texts == [shown(on_paper(kind, folder, seed)) for seed in range(seeds)], kind.name
        assert len(set(texts)) > seeds / 2, kind.name
        assert kind.label == "benign" and kind.lasts_s < kind.limit_s
        for words in (words for act in acts for words in act.commands):
            known = (
                words[0] in kind.needs
                or words[0] in ("sh", "flock", "unshare", sys.executable)
                or words[0].startswith("/usr/lib/nagios")
            )
            assert known, f"{kind.name} runs {words[0]}"


def surprises(bench: Bench, module: str, names: Sequence[str], services: Sequence[str], seeds: int) -> list[str]:
    """Play kinds of a module for real and return the programs that ended otherwise than meant."""
    bench.serve(*services)
    kinds: dict[str, Any] = {
        one.name: one for one in importlib.import_module(f"training.testbed.people.{module}").KINDS
    }
    found: list[str] = []
    for seed in range(seeds):
        for name in names:
            with bench_stage(bench, kinds[name], ("desk", "laptop")[seed % 2], seed) as stage:
                stage.folder.chmod(0o755)
                kinds[name].play(stage)
            found += [f"{name} {seed}: {one}" for one in stage.surprises]
    return found
