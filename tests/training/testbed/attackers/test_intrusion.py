"""Breaking in and scanning the inside."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.attackers.intrusion import KINDS, SHELLS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_victim_fetches_first_and_calls_home_last(shell: str, tmp_path: Path):
    stage = played(BY_NAME["break-in"], 4, tmp_path, shell=shell)
    said = plain(stage)
    fetched = next(place for place, text in enumerate(said) if text.endswith("/update.bin"))
    assert stage.places[0] == "attacker" and stage.places[fetched] == stage.places[-1] == "laptop"
    assert stage.places[-2] == "attacker" and fetched < len(said) - 2
    listener = stage.notes[-2]
    assert listener.over and listener.typed[-1] == "exit\n" and sum("tool.bin" in text for text in listener.typed) <= 1
    assert stage.paused_s < BY_NAME["break-in"].limit_s


def test_the_seed_decides(tmp_path: Path):
    for kind in KINDS:
        assert plain(played(kind, 7, tmp_path)) == plain(played(kind, 7, tmp_path)) != plain(played(kind, 8, tmp_path))


def test_a_scan_asks_the_networks_of_others_only(tmp_path: Path):
    for seed in range(10):
        (words,) = played(BY_NAME["internal-scan"], seed, tmp_path, probe="sS", networks=3, span=9).commands
        assert words[2] == "-sS" and len(words[-3:]) == 3
        assert all(word.startswith("10.77.") and word.endswith(".1-9") for word in words[-3:])
        assert not any(word.startswith(("10.77.2.", "10.77.20.", "10.77.30.")) for word in words)


def broken_in(bench: Bench) -> dict[str, Any]:
    """Break in with some shells; tell what the attacker read of the victim."""
    bench.serve("names")
    told: dict[str, Any] = {}
    for shell in ("bash", "ncat-tls"):
        with bench_stage(bench, BY_NAME["break-in"], "laptop", 1) as stage:
            stage.settings = {"shell": shell, "pace_s": 0.05, "commands": 4, "longest_s": 30.0}
            BY_NAME["break-in"].play(stage)
            told[shell] = [stage.surprises, sorted(path.name for path in stage.folder.iterdir())]
    return told


def test_the_file_arrives_for_real(in_world: Any):
    told = in_world(broken_in)
    for wrong, files in told.values():
        assert wrong == [] and "update.bin" in files
