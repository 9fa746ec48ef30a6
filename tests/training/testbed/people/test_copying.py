"""People copying files."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.copying import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}
FAST = ["scp-copy", "rsync-copy", "ftp-get", "ftp-put"]


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path, 8)


def test_a_folder_is_brought_over_again_to_the_same_place(tmp_path: Path):
    for seed in range(8):
        stage = on_paper(BY_NAME["rsync-copy"], tmp_path, seed)
        assert len(stage.commands) >= 2 and len(set(stage.commands)) == 1


def test_the_wrong_password_comes_before_the_right_one(tmp_path: Path):
    for seed in range(8):
        stage = on_paper(BY_NAME["ftp-mistyped"], tmp_path, seed)
        right = [words[-1].split(":")[1] in stage.world.passwords.values() for words in stage.commands]
        assert right[-1] and len(right) >= 2 and stage.expected[0] == (67,)


def test_a_backup_keeps_to_its_size(tmp_path: Path):
    for seed in range(4):
        stage = on_paper(BY_NAME["backup"], tmp_path, seed)
        sent = sum(path.stat().st_size for path in stage.folder.rglob("part-*"))
        assert 100_000 < sent <= BY_NAME["backup"].settings["most_bytes"]


def test_copies_arrive_for_real(in_world: Any):
    assert in_world(surprises, "copying", FAST, ["names", "shell", "ftp"], 1) == []
