"""The testbed's command line."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sensor.errors import NettrusionError
from training.testbed import casting, cli, enclosure
from training.testbed.settings import names


def command(*words: str) -> int:
    """Run `nettrusion testbed WORDS`."""
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    return cli.run(parser.parse_args(words))


@pytest.fixture
def enclosed(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Return what would have been run in the recording's namespaces; nothing is."""
    calls: list[Sequence[str]] = []

    def enclose(words: Sequence[str], limit_s: float, **more: Any) -> int:
        assert limit_s > 60 and "nginx" in more["needs"]
        calls.append(words)
        return 0

    monkeypatch.setattr(enclosure, "enclose", enclose)
    return calls


def test_run_encloses_the_profile_with_the_flags_above_it(enclosed: list[Sequence[str]], tmp_path: Path):
    assert command("run", "brief", "-o", str(tmp_path / "x")) == 0
    assert command("run", "brief", "-o", "x", "--seed", "9", "--minutes", "2", "--nat", "--name", "mine") == 0
    first, second = enclosed
    assert first == ["enclosed", "brief", "--name", "brief", "-o", f"{tmp_path}/x", "--seed", "1", "--minutes", "0.2"]
    assert second[1:4] == ["brief", "--name", "mine"]
    assert second[4:] == ["-o", str(Path.cwd() / "x"), "--seed", "9", "--minutes", "2.0", "--nat"]


def test_days_are_recorded_one_after_the_other_each_with_its_seed(enclosed: list[Sequence[str]]):
    assert command("days", "-o", "x") == 0
    assert [words[1] for words in enclosed] == ["monday", "tuesday", "wednesday"]
    assert len({words[words.index("--seed") + 1] for words in enclosed}) == 3
    enclosed.clear()
    assert command("days", "-o", "x", "brief", "demo") == 0
    assert [words[words.index("--name") + 1] for words in enclosed] == ["brief", "demo"]


def test_days_end_with_the_first_that_fails(monkeypatch: pytest.MonkeyPatch):
    calls: list[Sequence[str]] = []

    def enclose(words: Sequence[str], limit_s: float, **more: Any) -> int:
        calls.append(words)
        return 3

    monkeypatch.setattr(enclosure, "enclose", enclose)
    assert command("days", "-o", "x") == 3
    assert len(calls) == 1


def test_a_profile_of_ones_own_is_named_by_its_path(enclosed: list[Sequence[str]], tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text('base = "brief"\nminutes = 1\n')
    assert command("run", str(path), "-o", "x") == 0
    assert enclosed[0][1:4] == [str(path), "--name", "mine"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "breif", "-o", "x"), "no profile breif; did you mean brief?"),
        (("run", "brief", "-o", "x", "--minutes", "0"), "--minutes 0: must be more than 0"),
        (("check", "no.manifest.json"), "No such file"),
        (("packages", "nothing"), "no profile nothing"),
    ],
)
def test_what_is_wrong_is_a_sentence(words: tuple[str, ...], says: str):
    with pytest.raises(NettrusionError) as raised:
        command(*words)
    assert says in str(raised.value)


def test_without_root_nothing_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NettrusionError, match="must run as root"):
        command("run", "brief", "-o", str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_all_programs_that_are_missing_are_named_with_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(enclosure, "PATH", str(tmp_path))
    with pytest.raises(NettrusionError, match=r"apt-get install .*hydra.*nginx-light.*tshark"):
        command("run", "brief", "-o", str(tmp_path / "x"))


def test_list_shows_profiles_and_all_kinds(capsys: pytest.CaptureFixture[str]):
    assert command("list") == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in names())
    assert "web-page " in said and "bruteforce" in said


def test_plan_counts_acts(capsys: pytest.CaptureFixture[str]):
    assert command("plan", "brief", "--seed", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    total = int(lines[-1].split()[0])
    assert total == sum(int(line.split()[0]) for line in lines[:-1]) > 60


def test_packages_stand_on_one_line_for_apt(capsys: pytest.CaptureFixture[str]):
    assert command("packages", "brief", "demo") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert {"nginx-light", "nmap", "hydra", "tshark"} <= set(line.split())
    assert line.split() == sorted(set(line.split()))


def test_check_proves_a_recording(recorded: Path, capsys: pytest.CaptureFixture[str]):
    assert command("check", str(recorded)) == 0
    said = capsys.readouterr().out
    assert "brief.pcap.gz" in said and "the labels follow" in said


def test_the_inner_command_refuses_to_work_outside_its_namespaces(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["enclosed", "brief", "-o", str(tmp_path)]) == 1
    assert "own namespaces" in capsys.readouterr().err


def test_a_summary_tells_what_was_left_out_and_surprising(capsys: pytest.CaptureFixture[str]):
    manifest = {
        "capture": {"file": "x.pcap.gz", "packets": 9, "start_ns": 0, "end_ns": 3_600 * 10**9},
        "labels": {"conversations": {"by_label": {"benign": 3, "scan": 1}}},
        "left_out": {"page": 2},
        "surprises": [{"act": 4, "kind": "page", "run": 1, "what": "curl: exit code 7"}],
    }
    cli._summarize(manifest)
    said = capsys.readouterr().out
    assert "9 packets, 4 conversations, 1.00 hours" in said and "benign 3, scan 1" in said
    assert "2 acts were planned and left out" in said and "act 4 (page): curl: exit code 7" in said


def test_needs_are_asked_for_before_anything_is_done(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(casting, "needs", lambda profile: {"no-such-program": "no-such-package"})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(NettrusionError, match="no-such-package"):
        command("run", "brief", "-o", "x")
