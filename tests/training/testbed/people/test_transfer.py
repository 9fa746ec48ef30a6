"""Files to and fro."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import catalogued, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.transfer import KINDS
from training.testbed.web.curl import load
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


def test_a_download_keeps_to_the_largest_size_asked_for(world: World, tmp_path: Path):
    for seed in range(40):
        (words,) = played(BY_NAME["download"], world, tmp_path, seed, most_kb=300).commands
        _, _, name, path = words[-1].split("/", 3)
        site = load(world, name)
        assert site.sizes["/" + path] <= 300_000 or "/" + path == site.files[0]


def test_a_broken_download_is_resumed_on_the_same_file(world: World, tmp_path: Path):
    for seed in range(10):
        first, second = played(BY_NAME["download-resumed"], world, tmp_path, seed).commands
        assert first[-3:] == second[-3:] and "-C" in second and "-C" not in first
        assert float(first[first.index("--max-time") + 1]) <= 2.0


def test_uploads_differ_in_size_and_number(world: World, tmp_path: Path):
    sizes, forms = set(), 0
    for seed in range(30):
        stage = played(BY_NAME["upload"], world, tmp_path, seed)
        sizes |= {file.stat().st_size for file in stage.folder.iterdir()}
        forms += "-F" in stage.commands[0]
        assert stage.commands[0].count("-o") == len(list(stage.folder.iterdir()))
    assert len(sizes) > 30 and 0 < forms < 30 and max(sizes) > 20 * min(sizes)


def test_a_video_is_played_in_order_on_one_connection(world: World, tmp_path: Path):
    for seed in range(10):
        stage = played(BY_NAME["video"], world, tmp_path, seed)
        (words,) = stage.commands
        places = [int(Path(word).stem) for word in words if word.endswith(".m4s")]
        assert places == list(range(len(places))) and len(places) >= 3
        assert sum(word.startswith("file://") for word in words) >= 2 and stage.paused_s > 2


def moved(bench: Bench) -> dict[str, Any]:
    """Resume a download and upload for real; tell what the server saw."""
    bench.serve("names", "web", "sites")
    told: dict[str, Any] = {}
    for name in ("download-resumed", "upload"):
        with bench_stage(bench, BY_NAME[name], "bots", 4) as stage:
            BY_NAME[name].play(stage)
            log = (bench.world.folder("web") / "access.log").read_text().splitlines()
            told[name] = [stage.surprises, [line.split()[4] for line in log]]
    return told


def test_files_move_for_real(in_world: Any):
    told = in_world(moved)
    assert told["download-resumed"] == [[], ["200", "206"]]
    assert told["upload"][0] == [] and set(told["upload"][1][2:]) == {"201"}
