"""What devices say to everybody on their link."""

import time
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import hold, on_paper, surprises
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.chatter import KINDS
from training.testbed.world import RUN

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


def announced(bench: Bench) -> list[int]:
    """Announce a host's services; tell whether the lock can be had meanwhile, and afterwards."""
    kind, lock = BY_NAME["mdns"], str(RUN / "mdns-desk.lock")
    codes: list[int] = []
    for seed in range(40):
        with bench_stage(bench, kind, "desk", seed) as stage:
            # What pauses is the announcement alone: looking for devices asks and ends.
            stage.pause = lambda seconds: codes.append(held(bench, lock, 1))  # type: ignore[method-assign]
            kind.play(stage)
        if codes:
            return [*codes, held(bench, lock, 0)]
    return codes


def held(bench: Bench, lock: str, wanted: int) -> int:
    """Return what flock says to one who will not wait, once the daemon runs, or none does where 0 is wanted.

    Who tries a lock holds it for a moment, and an announcer that finds it taken keeps quiet: so it is
    asked for the daemon first, which comes after the lock.
    """
    for _ in range(50):
        if bench.run("desk", "pgrep", "avahi-daemon").returncode == 1 - wanted:
            break
        time.sleep(0.1)
    for _ in range(50):
        code = bench.run("desk", "flock", "-n", lock, "true").returncode
        if code == wanted:
            break
        time.sleep(0.1)
    return code


def test_who_announces_keeps_others_quiet_until_the_end(in_world: Any):
    assert in_world(announced) == [1, 0]
