"""Programmers with git."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.code import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path, monkeypatch: Any):
    hold([kind for kind in KINDS if kind.name != "git-push"], tmp_path)


def test_repositories_are_reached_in_three_ways(tmp_path: Path):
    stages = [on_paper(BY_NAME["git-clone"], tmp_path, seed) for seed in range(40)]
    ways = [word.split("://")[0] for stage in stages for word in stage.commands[0] if "://" in word]
    assert set(ways) == {"http", "ssh", "git"} and ways.count("http") > ways.count("git")


def test_git_works_for_real(in_world: Any):
    kinds = ["git-clone", "git-fetch", "git-push"]
    assert in_world(surprises, "code", kinds, ["names", "shell", "repository"], 1) == []
