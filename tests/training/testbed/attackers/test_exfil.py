"""Exfiltration: how much leaves, which way."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import Act, of, opened, option, rehearsed
from training.testbed.acts import Kind
from training.testbed.attackers.exfil import KINDS
from training.testbed.services import sink

SPELL = of(KINDS, "dns-exfiltration")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_the_limit_holds(kind: Kind, tmp_path: Path):
    once, again = (rehearsed(kind, tmp_path, 3, "desk").commands for _ in range(2))
    assert [words[0] for words in once] == [words[0] for words in again] and kind.label == "exfiltration"
    assert all(rehearsed(kind, tmp_path, seed, "desk").paused_s < kind.limit_s for seed in range(10))


def test_pieces_are_files_of_the_size_asked_for(tmp_path: Path):
    sizes = []
    for seed in range(30):
        stage = rehearsed(of(KINDS, "drip-exfiltration"), tmp_path, seed, "desk")
        sizes += [path.stat().st_size for path in stage.folder.glob("*.zip")]
        assert len(stage.commands) >= 3
    assert 6_000 < sorted(sizes)[len(sizes) // 2] < 13_000 and max(sizes) <= 36_000


def test_names_spell_the_file_within_the_rules(tmp_path: Path):
    for seed in range(10):
        stage = rehearsed(SPELL, tmp_path, seed, "laptop", label=62)
        names = [line.split()[0] for line in Path(option(stage.commands[0], "-f")).read_text().splitlines()]
        assert 3 < len(names) <= 120 and all(len(name) < 254 for name in names)
        assert all(0 < len(label) < 64 for name in names for label in name.split("."))


def test_a_limit_is_a_limit_for_every_tool(tmp_path: Path):
    assert "--limit-rate" in rehearsed(of(KINDS, "http-exfiltration"), tmp_path, host="desk", limit=9_000).commands[0]
    copies = {
        tool: rehearsed(of(KINDS, "copy-exfiltration"), tmp_path, host="desk", tool=tool, limit=90_000)
        for tool in ("scp", "rsync")
    }
    assert "-l" in copies["scp"].commands[0] and any("--bwlimit" in word for word in copies["rsync"].commands[0])


def test_loot_arrives_for_real(in_world: Any):
    acts: list[Act] = [
        ("exfil", name, "desk", {"bytes": 60_000, "pieces": 1, "wait": 0})
        for name in ("http-exfiltration", "ftp-exfiltration")
    ]
    acts += [("exfil", name, "desk", {"bytes": 60_000}) for name in ("raw-exfiltration", "copy-exfiltration")]
    acts += [("exfil", "dns-exfiltration", "laptop", {"bytes": 800})]
    told = in_world(opened, ["c2", "tunnel", "sink"], acts)
    for wrong, rows in told[:-1]:
        assert not wrong and sum(count for _, _, _, count in rows) > 30
    wrong, rows = told[-1]
    assert not wrong and all(port == 53 and count == 1 for _, _, port, count in rows) and len(rows) > 3
    assert {port for _, _, port, _ in told[2][1]} == {sink.RAW_PORT}
