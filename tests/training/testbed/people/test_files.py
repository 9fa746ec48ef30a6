"""People at a file share."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed import trade
from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people import files
from training.testbed.people.files import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture(autouse=True)
def share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "listed", lambda world: ["letters/001.txt", "plans/002.pdf", "photos/003.jpg"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_the_limit_holds(kind: Any, tmp_path: Path):
    assert plain(played(kind, 7, tmp_path)) == plain(played(kind, 7, tmp_path))
    assert max(played(kind, seed, tmp_path).paused_s for seed in range(60)) < kind.limit_s


def test_copies_go_both_ways(tmp_path: Path):
    said = " ".join(text for seed in range(10) for text in plain(played(BY_NAME["share-copy"], seed, tmp_path)))
    assert ";put " in said and ";get " in said and trade.WORLD.name("store") in said


def copied(bench: Bench) -> list[Any]:
    """Copy to and from the share for real; tell what went wrong and whether the server let one in."""
    bench.serve("names", "files")
    with bench_stage(bench, BY_NAME["share-copy"], "office", 1) as stage:
        BY_NAME["share-copy"].play(stage)
        log = (bench.world.folder("files") / "log.smbd").read_text()
        return [stage.surprises, "NT_STATUS_OK" in log]


def test_files_are_copied_for_real(in_world: Any):
    assert in_world(copied) == [[], True]
