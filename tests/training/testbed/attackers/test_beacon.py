"""Bots: what a check-in looks like."""

from pathlib import Path
from typing import Any

from tests.training.testbed.attackers.acting import Act, of, opened, option, rehearsed
from training.testbed.attackers.beacon import AGENTS, KINDS
from training.testbed.services import c2

HTTP, TLS, NAMES = (of(KINDS, name) for name in ("http-beacon", "tls-beacon", "dns-beacon"))
HELD, IRC = of(KINDS, "held-channel"), of(KINDS, "irc-bot")


def test_a_check_in_is_one_short_command(tmp_path: Path):
    for kind, start in ((HTTP, "http://"), (TLS, "https://")):
        stage = rehearsed(kind, tmp_path, host="laptop")
        (words,) = stage.commands
        assert words[-1].startswith(start + "198.18.101.1") and option(words, "-A") in AGENTS and stage.paused_s == 0
    assert rehearsed(HTTP, tmp_path, host="laptop", family=6).commands[0][-1].startswith("http://[2001:db8:101::1")


def test_tasks_are_rare_and_bigger(tmp_path: Path):
    sizes = sorted(int(rehearsed(HTTP, tmp_path, seed, "desk").commands[0][-1].split("n=")[1]) for seed in range(200))
    assert sizes[100] < 100 and 2 <= sum(size > 1_000 for size in sizes) <= 40


def test_two_requests_share_a_command(tmp_path: Path):
    (words,) = rehearsed(HTTP, tmp_path, host="desk", asks=2, method="POST").commands
    assert words.count("--next") == 1 and words.count("--data-binary") == 2


def test_names_carry_what_is_told(tmp_path: Path):
    for seed in range(20):
        for words in rehearsed(NAMES, tmp_path, seed, "desk", told=60).commands:
            assert words[-1].endswith(c2.ZONE) and all(0 < len(label) < 64 for label in words[-1].split("."))


def test_channels_live_for_a_while_and_end(tmp_path: Path):
    for kind, first in ((HELD, "hello"), (IRC, "NICK")):
        lengths = []
        for seed in range(40):
            stage = rehearsed(kind, tmp_path, seed, "laptop")
            lengths.append(stage.paused_s)
            assert stage.said[0].startswith(first)
        assert max(lengths) < kind.limit_s and len(set(lengths)) == 40 and sum(lengths) / 40 > 10


def test_the_master_answers_for_real(in_world: Any):
    acts: list[Act] = [("beacon", name, "laptop", {}) for name in ("http-beacon", "tls-beacon", "dns-beacon")]
    acts += [("beacon", name, "desk", {"signs": 2, "wait": 0.2}) for name in ("held-channel", "irc-bot")]
    told = in_world(opened, ["c2", "tunnel", "sink"], acts)
    ports = [{80}, {443, 8443}, {53}, {c2.CONSOLE}, {c2.IRC}]
    for (wrong, rows), expected in zip(told, ports, strict=True):
        assert not wrong and {port for _, _, port, _ in rows} <= expected
        assert sum(count for _, _, _, count in rows) >= 2
