"""What goes wrong every day: it goes wrong as it is meant to."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.sites import catalogued, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.trouble import KINDS, LATE, NO_NAME, NO_TLS, REFUSED, UNTRUSTED
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return catalogued(tmp_path)


def test_no_trouble_is_an_attack():
    assert {kind.label for kind in KINDS} == {"benign"}


def test_only_the_silent_address_is_waited_for(world: World, tmp_path: Path):
    waits = set()
    for seed in range(12):
        stage = played(BY_NAME["silent-host"], world, tmp_path, seed)
        (words,) = stage.commands
        assert world.silent in words[-1] and stage.expected == [(LATE,)]
        waits.add(words[words.index("--connect-timeout") + 1])
    assert len(waits) > 6


def test_tls_fails_in_every_way(world: World, tmp_path: Path):
    codes = set()
    for seed in range(60):
        stage = played(BY_NAME["tls-failure"], world, tmp_path, seed)
        codes.add(tuple(stage.expected[0] or ()))
    assert codes == {(NO_TLS,), (UNTRUSTED,), (0,)}


def test_a_retrying_client_stops_in_the_end(world: World, tmp_path: Path):
    closed = 0
    for seed in range(30):
        stage = played(BY_NAME["retrying-client"], world, tmp_path, seed)
        (words,) = stage.commands
        if "--retry" in words:
            closed += 1
            assert 4 <= int(words[words.index("--retry") + 1]) <= 12 and stage.expected == [(REFUSED,)]
        else:
            assert 3 <= words[-1].count("/private/") <= 8
    assert 0 < closed < 30


def failed(bench: Bench, hosts: list[str]) -> list[str]:
    """Play the short ones of every trouble for real, on several hosts; return what was not as meant."""
    bench.serve("names", "web", "sites")
    surprises = []
    for name in ("web-errors", "closed-port", "unknown-name", "tls-failure", "transfer-aborted"):
        for seed, host in enumerate(hosts):
            with bench_stage(bench, BY_NAME[name], host, seed) as stage:
                BY_NAME[name].play(stage)
                surprises += stage.surprises
    return surprises


def test_trouble_is_the_trouble_that_was_meant(in_world: Any):
    assert in_world(failed, ["desk", "bots", "phone", "internet"]) == []
    assert NO_NAME == 6
