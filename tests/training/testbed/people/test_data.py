"""People and programs at databases."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.data import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_the_limit_holds(kind: Any, tmp_path: Path):
    once, again = (played(kind, 7, tmp_path) for _ in range(2))
    assert plain(once) == plain(again) and kind.label == "benign"
    assert [note.typed for note in once.notes] == [note.typed for note in again.notes]
    assert max(played(kind, seed, tmp_path).paused_s for seed in range(60)) < kind.limit_s


def test_somebody_at_the_prompt_asks_and_leaves(tmp_path: Path):
    counts = set()
    for seed in range(20):
        (note,) = played(BY_NAME["sql-session"], seed, tmp_path, mistyped=0.0).notes
        assert note.over and note.typed[-1] == "\\q\n" and all(";" in line for line in note.typed[:-1])
        counts.add(len(note.typed))
    assert len(counts) > 3


def test_a_pooled_connection_lasts_as_long_as_it_is_told(tmp_path: Path):
    times = [played(BY_NAME["sql-pool"], seed, tmp_path, longest_s=30.0).paused_s for seed in range(20)]
    assert max(times) <= 30.5 and len(set(times)) > 5


def asked(bench: Bench) -> dict[str, Any]:
    """Use both databases for real; tell what went wrong, and what the database's log and the cache hold."""
    bench.serve("names", "database", "cache")
    wrong: dict[str, Any] = {}
    for name, seeds in (("sql-app", (4,)), ("sql-batch", (1, 2, 5)), ("redis-cache", (1, 3, 4))):
        for seed in seeds:
            with bench_stage(bench, BY_NAME[name], "web", seed) as stage:
                BY_NAME[name].play(stage)
                wrong[f"{name} {seed}"] = stage.surprises
    return wrong


def test_databases_answer_for_real(in_world: Any):
    told = in_world(asked)
    assert len(told) == 7 and all(not wrong for wrong in told.values()), told
