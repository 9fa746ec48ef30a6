"""What asks where nobody answers, and what tries the wrong way first."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper
from tests.training.testbed.web.sites import catalogued, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.deadends import KINDS
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold([BY_NAME["dead-service"], BY_NAME["absent-device"]], tmp_path)


def test_a_dead_service_is_one_place_and_never_one_that_serves(tmp_path: Path):
    for seed in range(60):
        stage = on_paper(BY_NAME["dead-service"], tmp_path, seed)
        (place,) = {words[-2:] for words in stage.commands}
        silent = {stage.world.silent, *(four for four, _ in stage.world.gone)}
        assert place[0] in silent or place[1] not in ("80", "443", "1883", "8883")


def test_reports_go_on_although_nobody_answers(tmp_path: Path):
    for seed in range(20):
        stage = on_paper(BY_NAME["dead-datagrams"], tmp_path, seed)
        plan: dict[str, Any] = json.loads((stage.folder / "plan.json").read_text())
        assert plan["streams"] and not plan["asks"] and all(one["sure"] for one in plan["streams"])


def test_a_wrong_address_comes_before_the_right_one_of_the_same_name(world: World, tmp_path: Path):
    for seed in range(20):
        (words,) = played(BY_NAME["happy-eyeballs"], world, tmp_path, seed).commands
        name, port, addresses = words[words.index("--resolve") + 1].split(":", 2)
        first = addresses.split(",")[0].strip("[]")
        assert first in {one for pair in world.gone for one in pair}
        assert port == "443" and all(word.startswith(f"https://{name}/") for word in words if word.startswith("https"))
        assert "-4" not in words and "-6" not in words


def test_a_burst_closes_every_connection(world: World, tmp_path: Path):
    counts = []
    for seed in range(20):
        (words,) = played(BY_NAME["web-burst"], world, tmp_path, seed).commands
        assert "Connection: close" in words and "--parallel-immediate" in words
        counts.append(sum(word.startswith("http") for word in words))
    assert min(counts) >= 10 and max(counts) > 60


def met(bench: Bench) -> list[str]:
    """Meet an address that leads nowhere first, for real."""
    bench.serve("names", "web", "sites")
    found: list[str] = []
    for seed in (0, 1):
        with bench_stage(bench, BY_NAME["happy-eyeballs"], "desk", seed) as stage:
            BY_NAME["happy-eyeballs"].play(stage)
            found += stage.surprises
    return found


def test_the_other_way_is_found_for_real(in_world: Any):
    assert in_world(met) == []
