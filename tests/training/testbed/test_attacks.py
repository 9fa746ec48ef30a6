"""Attacks: real tools, bounded, aimed at our own server."""

import random
from pathlib import Path

import pytest

from training.testbed import attacks
from training.testbed.network import OUTSIDE, SERVER, SILENT
from training.testbed.profiles import PROFILES, Guess, Scan, SlowHttp
from training.testbed.servers import Secrets

LABELS = {Scan: "scan", SlowHttp: "dos", Guess: "bruteforce"}
ALL = [a for profile in PROFILES.values() for a in (*profile.outside, *profile.inside)]


KEYS = Secrets({"ada": "one", "guest": "two", "web": "three"}, Path("/nowhere/key"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the guessers keep their lists in a temporary folder."""
    (tmp_path / "root").mkdir()
    monkeypatch.setattr(attacks, "RUN", tmp_path)
    return tmp_path / "root"


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_an_attack_is_labelled_bounded_and_aimed_at_our_server(attack):
    intent = attacks.intent(attack, OUTSIDE, KEYS, random.Random(1))
    assert intent.label == LABELS[type(attack)]
    assert intent.limit_s <= 60
    assert set(intent.reach.addresses) <= {SERVER.v4, SILENT}
    assert intent.tool in (intent.words[0], "ssh-loop")


def test_a_scan_asks_for_as_many_different_ports_as_it_says():
    intent = attacks.intent(Scan("-sS", 160), OUTSIDE, KEYS, random.Random(1))
    ports = intent.words[intent.words.index("-p") + 1].split(",")
    assert len(set(ports)) == len(ports) == 160
    assert {"22", "80", "443"} <= set(ports)


@pytest.mark.parametrize("finds_it", [False, True])
def test_a_guesser_knows_the_password_only_when_told(home: Path, finds_it: bool):
    attacks.intent(Guess("http-get", 9, 2, finds_it), OUTSIDE, KEYS, random.Random(1))
    words = next(home.iterdir()).read_text().split()
    assert len(words) == 9
    assert (words[-1] == "three") is finds_it
    assert "three" not in words[:-1]


def test_the_loop_tries_each_password_on_a_connection_of_its_own(home: Path):
    intent = attacks.intent(Guess("ssh", 5, 1, tool="ssh-loop"), OUTSIDE, KEYS, random.Random(1))
    script = Path(intent.words[1]).read_text()
    assert "NumberOfPasswordPrompts=1" in script
    assert "UserKnownHostsFile=/dev/null" in script
