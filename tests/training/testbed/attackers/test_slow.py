"""Slow denial of service: how many connections, how slow, and for how long."""

from pathlib import Path

from tests.training.testbed.attackers.acting import of, option, rehearsed
from training.testbed.attackers.slow import KINDS

HEADERS, BODY, READ = (of(KINDS, name) for name in ("slow-headers", "slow-body", "slow-read"))


def test_each_has_a_mode_of_its_own(tmp_path: Path):
    for kind, mode, path in ((HEADERS, "-H", "/"), (BODY, "-B", "/upload"), (READ, "-X", "")):
        (words,) = rehearsed(kind, tmp_path, seconds=10).commands
        assert words[:2] == ("slowhttptest", mode) and option(words, "-u").startswith("http://10.77.9.10" + path)
        assert 15 < int(option(words, "-c")) <= 160 and 5 <= int(option(words, "-l")) <= 40


def test_reading_has_a_small_window(tmp_path: Path):
    for seed in range(10):
        (words,) = rehearsed(READ, tmp_path, seed).commands
        assert 0 < int(option(words, "-w")) < int(option(words, "-y")) < 600


def test_other_tools_are_as_slow(tmp_path: Path):
    (words,) = rehearsed(HEADERS, tmp_path, tool="nmap", seconds=10).commands
    assert option(words, "--script") == "http-slowloris" and "timelimit=" in option(words, "--script-args")
    (words,) = rehearsed(READ, tmp_path, tool="curl", connections=30).commands
    assert int(option(words, "--limit-rate")) < 500
    assert Path(option(words, "-K")).read_text().count("url = ") == int(option(words, "--parallel-max"))


def test_all_end_before_their_limit(tmp_path: Path):
    for kind in KINDS:
        for seed in range(30):
            assert rehearsed(kind, tmp_path, seed).longest_s < kind.limit_s, kind.name
