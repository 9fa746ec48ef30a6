"""People at a browser: on paper, and once for real."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import catalogued, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.browsing import KINDS
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_same_seed_plays_the_same(world: World, tmp_path: Path, name: str):
    kind = BY_NAME[name]
    (tmp_path / "again").mkdir()
    first = [played(kind, world, tmp_path, seed).commands for seed in range(6)]
    again = [played(kind, world, tmp_path / "again", seed).commands for seed in range(6)]
    cut = str(tmp_path / "again"), str(tmp_path)
    assert [[[w.replace(*cut) for w in c] for c in stage] for stage in again] == [[list(c) for c in s] for s in first]
    assert len({str(commands) for commands in first}) == 6


def test_a_page_over_http_1_is_fetched_with_all_its_objects(world: World, tmp_path: Path):
    for seed in range(10):
        commands = played(BY_NAME["web-page"], world, tmp_path, seed).commands
        assert all("--http1.1" in words for words in commands)
        whole = " ".join(word for words in commands for word in words)
        assert ".html" in whole and "/c/" in whole and "--parallel-max 6" in whole


def test_a_page_over_http_2_is_one_program(world: World, tmp_path: Path):
    for seed in range(10):
        (words,) = played(BY_NAME["web-page-h2"], world, tmp_path, seed).commands
        assert "--http2" in words and not any(word.startswith("http://") for word in words)


def test_a_visit_pauses_between_its_pages(world: World, tmp_path: Path):
    for seed in range(10):
        stage = played(BY_NAME["web-visit"], world, tmp_path, seed)
        (words,) = stage.commands
        pages = sum(word.endswith(".html") for word in words)
        assert sum(word.startswith("file://") for word in words) == pages - 1 >= 1
        assert stage.paused_s > 0


def test_signing_in_ends_with_the_right_password(world: World, tmp_path: Path):
    for seed in range(20):
        words = played(BY_NAME["web-login"], world, tmp_path, seed).commands[-1]
        tried = [word for word in words if word.startswith(("password=", "admin:", "guest:"))]
        assert any(tried[-1].endswith(password) for password in world.passwords.values())


def seen(bench: Bench) -> dict[str, Any]:
    """Play a page, a visit and a browser; tell what the servers saw of each."""
    bench.serve("names", "web", "sites")
    logs = [bench.world.folder(name) / "access.log" for name in ("web", "sites")]
    told: dict[str, Any] = {}
    before = 0
    for name in ("web-page", "web-page-h2", "web-browser"):
        with bench_stage(bench, BY_NAME[name], "desk", 3) as stage:
            BY_NAME[name].play(stage)
            lines = [line for log in logs for line in log.read_text().splitlines()]
            told[name] = {
                "surprises": stage.surprises,
                "requests": len(lines) - before,
                "connections": len({tuple(line.split()[1:4]) for line in sorted(lines)[before:]}),
                "codes": sorted({line.split()[4] for line in sorted(lines)[before:]}),
            }
            before = len(lines)
    return told


def test_pages_are_read_for_real(in_world: Any):
    told = in_world(seen)
    assert [each["surprises"] for each in told.values()] == [[], [], []]
    assert all(set(each["codes"]) <= {"200", "301", "404"} for each in told.values()), told
    assert told["web-page"]["connections"] > told["web-page-h2"]["connections"]
    assert told["web-page-h2"]["requests"] > 2 * told["web-page-h2"]["connections"]
    assert told["web-browser"]["requests"] > 3
