"""What devices say to everybody on their link."""

from pathlib import Path
from typing import Any

from tests.training.testbed.people.acted import hold, on_paper, surprises
from training.testbed.people.chatter import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


def test_the_acts_repeat_and_differ(tmp_path: Path):
    hold(KINDS, tmp_path, 16)


def test_asking_for_an_address_changes_none(tmp_path: Path):
    for seed in range(20):
        for words in on_paper(BY_NAME["dhcp"], tmp_path, seed).commands:
            assert words[:2] == ("flock", "-n")
            if "udhcpc" in words:
                assert words[words.index("-s") + 1] == "/bin/true"
            else:
                assert "-i" in words


def test_hosts_chatter_for_real(in_world: Any):
    assert in_world(surprises, "chatter", ["mdns", "dhcp"], ["names", "chatter"], 1) == []
