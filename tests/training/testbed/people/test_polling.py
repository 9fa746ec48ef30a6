"""Programs that ask over and over."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import catalogued, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.polling import KINDS
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


def test_what_is_asked_differs_from_act_to_act(world: World, tmp_path: Path):
    for kind in KINDS:
        stages = [played(kind, world, tmp_path, seed) for seed in range(12)]
        shown = {" ".join(stage.commands[0]) + str(stage.said) for stage in stages}
        assert len(shown) > 9, kind.name


def test_a_check_for_a_way_out_is_plain_http(world: World, tmp_path: Path):
    for seed in range(8):
        (words,) = played(BY_NAME["captive-check"], world, tmp_path, seed).commands
        assert words[-1].startswith("http://www.site") and words[-1].endswith("/generate_204")


def test_all_makers_that_one_check_asks_are_trusted_by_the_same_certificate(world: World, tmp_path: Path):
    for seed in range(20):
        (words,) = played(BY_NAME["update-check"], world, tmp_path, seed).commands
        urls = [word for word in words if word.startswith("http")]
        assert all(url.startswith("https://www.site") for url in urls) and str(world.folder("sites")) in words[3]
        (words,) = played(BY_NAME["update-check"], world, tmp_path, seed, at="bots").commands
        assert words[-1].startswith("https://web.home.test") and str(world.folder("web")) in words[3]


def test_every_beat_is_a_connection_of_its_own(world: World, tmp_path: Path):
    for seed in range(8):
        stage = played(BY_NAME["heartbeat"], world, tmp_path, seed)
        (words,) = stage.commands
        assert "Connection: close" in words
        assert sum(word.startswith("file://") for word in words) == sum("metrics" in word for word in words) - 1


def test_an_idle_connection_is_idle_for_seconds(world: World, tmp_path: Path):
    for seed in range(8):
        stage = played(BY_NAME["idle-keepalive"], world, tmp_path, seed)
        (words,) = stage.commands
        assert "--keepalive-time" in words and stage.paused_s > 1.0
        assert sum(word.startswith("file://") for word in words) in (1, 2)


def test_a_chat_says_lines(world: World, tmp_path: Path):
    for seed in range(8):
        stage = played(BY_NAME["websocket-chat"], world, tmp_path, seed)
        assert stage.said and all(line.endswith("\n") and len(line) > 1 for line in stage.said)


def logged(logs: list[Path]) -> list[str]:
    """Return the lines of the logs; the last one is written a moment after the client has gone."""
    for _ in range(50):
        if lines := [line for log in logs for line in log.read_text().splitlines()]:
            return lines
        time.sleep(0.1)
    return []


def talked(bench: Bench) -> dict[str, Any]:
    """Chat, poll and listen for real; tell what the servers saw."""
    bench.serve("names", "web", "sites")
    told: dict[str, Any] = {}
    logs = [bench.world.folder(name) / "access.log" for name in ("web", "sites")]
    for name in ("websocket-chat", "web-api", "update-check", "captive-check"):
        with bench_stage(bench, BY_NAME[name], "laptop", 8) as stage:
            BY_NAME[name].play(stage)
            lines = logged(logs)
            told[name] = [stage.surprises, sorted({line.split()[4] for line in lines})]
            for log in logs:
                log.write_text("")
    return told


def test_programs_talk_for_real(in_world: Any):
    told = in_world(talked)
    assert told["websocket-chat"] == [[], ["101"]]
    assert told["web-api"][0] == [] and set(told["web-api"][1]) <= {"200", "201", "301"}
    assert told["update-check"] == [[], ["200"]] and told["captive-check"] == [[], ["204"]]
