"""A resolver at work."""

from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.resolver import KINDS
from training.testbed.services.zones import servers

BY_NAME = {kind.name: kind for kind in KINDS}


def asked(folder: Path, seed: int) -> list[list[str]]:
    """Return the questions of an act, each as its words."""
    stage = on_paper(BY_NAME["bulk-names"], folder, seed, "infra")
    return [line.split() for file in sorted(stage.folder.glob("asked-*")) for line in file.read_text().splitlines()]


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path)
    assert asked(tmp_path, 1) == asked(tmp_path, 1) != asked(tmp_path, 2)


def test_many_are_asked_and_one_in_ten_is_silent(tmp_path: Path):
    world = on_paper(BY_NAME["bulk-names"], tmp_path, 1, "infra").world
    questions = [words for seed in range(40) for words in asked(tmp_path, seed)]
    where = [words[0].removeprefix("@") for words in questions]
    silent = {four for four, _ in world.gone}
    assert len(set(where) & set(servers(world))) == len(servers(world))
    assert 0.07 < sum(one in silent for one in where) / len(where) < 0.13
    assert len(questions) > 40 * 40


def test_each_file_is_read_by_one_that_asks_a_socket_a_question(tmp_path: Path):
    for seed in range(10):
        stage = on_paper(BY_NAME["bulk-names"], tmp_path, seed, "infra")
        ((_, _, script),) = stage.commands
        assert script.count("dig ") == len(list(stage.folder.glob("asked-*"))) and script.endswith("wait")


def test_the_time_is_asked_of_several_and_some_are_gone(tmp_path: Path):
    gone = 0
    for seed in range(30):
        stage = on_paper(BY_NAME["ntp-pool"], tmp_path, seed)
        silent = {four for four, _ in stage.world.gone}
        (words,) = stage.commands
        text = " ".join(words)
        assert sum(one in text for one in stage.world.host("internet").all_v4) >= 1
        gone += any(one in text.split() for one in silent)
    assert 8 < gone < 29


def resolved(bench: Bench) -> list[str]:
    """Resolve for real, and count the answers."""
    found = surprises(bench, "resolver", ["bulk-names", "bulk-names-one", "ntp-pool"], ("zones", "clock"), 1)
    said = bench.run("infra", "dig", "+short", f"@{servers(bench.world)[3]}", "a1.z3.test", "A").stdout.split()[-1]
    return [*found, said]


def test_names_are_resolved_for_real(in_world: Any):
    assert in_world(resolved, limit_s=150.0) == ["192.0.2.7"]
