"""People in shells."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.shell import COMMANDS, KINDS, mistyped

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path)


def test_a_session_is_typed_key_by_key(tmp_path: Path):
    for seed in range(10):
        stage = on_paper(BY_NAME["ssh-session"], tmp_path, seed)
        keys = [said for said in stage.said if said != "x\x7f"]
        assert all(len(said) == 1 for said in keys)
        lines = "".join(keys).split("\r")
        assert lines[-2:] == ["exit", ""] and set(lines[:-2]) <= set(COMMANDS)
        assert 5 < stage.paused_s < 130


def test_an_idle_session_is_silent_most_of_the_time(tmp_path: Path):
    for seed in range(10):
        stage = on_paper(BY_NAME["ssh-idle"], tmp_path, seed)
        assert any(word.startswith("ServerAliveInterval=") for word in stage.commands[0])
        assert stage.paused_s >= 30 and len(stage.said) < stage.paused_s / 2


def test_a_slip_of_the_fingers_is_never_the_password(tmp_path: Path):
    stage = on_paper(BY_NAME["ssh-mistyped"], tmp_path, 1)
    for user in ("ada", "guest"):
        right = stage.world.passwords[user]
        assert sum(mistyped(stage, right) == right for _ in range(300)) <= 6


def test_shells_work_for_real(in_world: Any):
    assert in_world(surprises, "shell", ["ssh-command", "ssh-mistyped"], ["names", "shell"], 1) == []
