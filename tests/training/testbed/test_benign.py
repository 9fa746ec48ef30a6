"""Benign people: what they do follows from the seed and stays in the network."""

import ipaddress
import random
import threading
import time
from pathlib import Path

import pytest

from training.testbed import benign
from training.testbed.network import DESK, OUTSIDE, Host
from training.testbed.programs import ANY_PORTS, OWN_PORTS, Intent, Programs
from training.testbed.servers import Secrets

NETS = (ipaddress.ip_network("10.77.0.0/16"), ipaddress.ip_network("fd77::/16"))
ACTIONS = [action for crew in (benign.SURFER, benign.RESOLVER, benign.ADMIN) for _, action in crew]


class Noted(Programs):
    """Keeps the intents and runs nothing."""

    def __init__(self) -> None:
        super().__init__({})
        self.intents: list[Intent] = []

    def run(self, intent: Intent) -> None:  # type: ignore[override]
        self.intents.append(intent)


KEYS = Secrets({"ada": "one", "guest": "two", "web": "three"}, Path("/nowhere/key"))


def intents(seed: int, host: Host, actions: list) -> list[Intent]:
    noted = Noted()
    person = benign.Person(host, noted, KEYS, random.Random(seed), 0.001, time.monotonic() + 60, threading.Event())
    for action in actions:
        action(person)
    return noted.intents


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let people keep their files in a temporary folder."""
    (tmp_path / "root").mkdir()
    monkeypatch.setattr(benign, "RUN", tmp_path)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_what_people_do_is_benign_bounded_and_stays_inside(action):
    for intent in intents(1, OUTSIDE, [action] * 25):
        assert intent.label == "benign"
        assert 0 < intent.limit_s <= 30
        assert all(any(ipaddress.ip_address(a) in net for net in NETS) for a in intent.reach.addresses)
        urls = [word for word in intent.words if "://" in word]
        assert all("10.77.9." in url or "fd77:9::10" in url for url in urls)
        first, last = intent.source_ports
        assert (first, last) == ANY_PORTS or (first in OWN_PORTS and last in OWN_PORTS)


def test_the_seed_decides():
    def told(seed: int) -> list[list[str]]:
        return [list(intent.words) for intent in intents(seed, DESK, ACTIONS * 2)]

    assert told(4) == told(4)
    assert told(4) != told(5)


def test_a_person_goes_home_in_time():
    noted = Noted()
    person = benign.Person(DESK, noted, KEYS, random.Random(1), 0.005, time.monotonic() + 0.7, threading.Event())
    began = time.monotonic()
    person.live(benign.RESOLVER)
    assert noted.intents
    assert time.monotonic() - began < 5
