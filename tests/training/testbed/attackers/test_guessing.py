"""Password guessing: every tool gets the same words, and an end."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import of, opened, rehearsed
from training.testbed.acts import Kind
from training.testbed.attackers.guessing import KINDS

PAIRS = [(kind, tool) for kind in KINDS for tool in kind.needs]


@pytest.mark.parametrize(("kind", "tool"), PAIRS, ids=[f"{kind.name}-{tool}" for kind, tool in PAIRS])
def test_every_tool_guesses_from_the_list(kind: Kind, tool: str, tmp_path: Path):
    stage = rehearsed(kind, tmp_path, tool=tool, tries=6, user="guest", target="web")
    words = (stage.folder / "words").read_text().split()
    assert 2 <= len(words) <= 24 and len(set(words)) == len(words)
    assert {command[0] for command in stage.commands} == {tool} and kind.label == "bruteforce"
    said = [" ".join(command) for command in stage.commands]
    assert all("10.77.9.10" in text and "guest" in text for text in said)
    if tool in ("ssh", "curl"):
        given = [env.get("GUESS", "") for env in stage.environments]
        assert len(said) == len(words) and all(
            word in text + guess for word, text, guess in zip(words, said, given, strict=True)
        )
    else:
        assert len(said) == 1 and str(stage.folder / "words") in said[0]


@pytest.mark.parametrize(
    ("name", "tool"), [("ssh-guessing", "ssh"), ("http-guessing", "curl"), ("ftp-guessing", "curl")]
)
def test_who_is_in_stops(name: str, tool: str, tmp_path: Path):
    assert len(rehearsed(of(KINDS, name), tmp_path, tool=tool).commands) > 3
    assert len(rehearsed(of(KINDS, name), tmp_path, exit_code=0, tool=tool).commands) == 1


def test_the_guest_is_found_for_real(in_world: Any):
    told = in_world(
        opened, ["web"], [("guessing", "http-guessing", "attacker", {"tries": 8, "finds": 1.0, "user": "guest"})]
    )
    ((wrong, rows),) = told
    assert not wrong and sum(port == 80 for _, _, port, _ in rows) >= 3
