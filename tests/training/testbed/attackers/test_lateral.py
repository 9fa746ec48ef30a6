"""Moving from host to host."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.attackers import lateral
from training.testbed.attackers.lateral import KINDS, TOOLS
from training.testbed.world import USERS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture(autouse=True)
def share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lateral, "listed", lambda world: [f"letters/{place:03d}.txt" for place in range(20)])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_the_limit_holds(kind: Any, tmp_path: Path):
    assert plain(played(kind, 7, tmp_path)) == plain(played(kind, 7, tmp_path))
    assert max(played(kind, seed, tmp_path).paused_s for seed in range(40)) < kind.limit_s
    assert kind.label == ("bruteforce" if kind.name == "smb-spray" else "lateral")


def test_the_second_hop_starts_on_the_first_host(tmp_path: Path):
    stage = played(BY_NAME["lateral-ssh"], 3, tmp_path, user="ben")
    said = plain(stage)
    assert stage.places[:3] == ["laptop", "laptop", "web"]
    assert "ben@web.home.test" in said[0] and "scp" in said[1] and "ben@store.home.test" in said[2]
    assert all(note.over and note.typed[-1].endswith("exit\n") for note in stage.notes)


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_asks_the_file_server(tool: str, tmp_path: Path):
    stage = played(BY_NAME["lateral-enum"], 5, tmp_path, tool=tool)
    assert [words for words in stage.commands if words[0].startswith(tool)]


def test_a_spray_tries_every_account_before_the_next_password(tmp_path: Path):
    stage = played(BY_NAME["smb-spray"], 1, tmp_path, passwords=2)
    text = (stage.folder / "spray.sh").read_text()
    assert text.index("for p in") < text.index("for u in") and all(user in text for user in USERS)


def moved(bench: Bench) -> Any:
    """Enumerate and drop for real; tell whether the server let one in and what lies on the share."""
    bench.serve("names", "files")
    for name in ("lateral-enum", "lateral-drop"):
        with bench_stage(bench, BY_NAME[name], "laptop", 1) as stage:
            stage.settings = {"tool": "rpcclient", "user": "ben", "pace_s": 0.05}
            BY_NAME[name].play(stage)
    folder = bench.world.folder("files")
    log = (folder / "log.smbd").read_text()
    return [log.count("NT_STATUS_OK") >= 2, len(list((folder / "drop").iterdir()))]


def test_a_program_is_left_on_the_share_for_real(in_world: Any):
    assert in_world(moved) == [True, 1]
