"""Calls, games and gossip between people's machines."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.people.acted import on_paper, surprises
from training.testbed.datagrams import TAKEN
from training.testbed.people.peers import KINDS
from training.testbed.services.peers import PORTS
from training.testbed.world import World

BY_NAME = {kind.name: kind for kind in KINDS}
DIRECT = ("peer-call", "game", "peer-gossip")


def drawn(name: str, folder: Path, seed: int, file: str = "plan") -> dict[str, Any]:
    """Return the plan of an act."""
    stage = on_paper(BY_NAME[name], folder, seed)
    told: dict[str, Any] = json.loads((stage.folder / f"{file}.json").read_text())
    return told


@pytest.mark.parametrize("name", DIRECT)
def test_the_seed_decides_who_is_asked(name: str, tmp_path: Path):
    plans = [drawn(name, tmp_path, seed) for seed in range(12)]
    assert plans == [drawn(name, tmp_path, seed) for seed in range(12)]
    assert len({json.dumps(one) for one in plans}) == 12


@pytest.mark.parametrize("name", DIRECT)
def test_an_act_ends_before_its_limit_and_has_said_all_by_then(name: str, tmp_path: Path):
    for seed in range(40):
        plan = drawn(name, tmp_path, seed)
        assert plan["until_s"] + 2.0 < BY_NAME[name].limit_s
        assert max(one["at_s"] for one in plan["asks"]) < plan["until_s"]


@pytest.mark.parametrize("name", DIRECT)
def test_some_have_gone_some_are_there_some_ports_are_closed(name: str, tmp_path: Path):
    world: World = on_paper(BY_NAME[name], tmp_path, 1).world
    gone = {one for pair in world.gone for one in pair}
    asked = [tuple(one["to"]) for seed in range(30) for one in drawn(name, tmp_path, seed)["asks"]]
    silent = sum(address in gone for address, _ in asked) / len(asked)
    closed = sum(address not in gone and port not in PORTS for address, port in asked) / len(asked)
    assert 0.12 < silent < 0.55 and 0.03 < closed < 0.2


def test_a_stream_goes_only_to_who_was_asked(tmp_path: Path):
    for seed in range(20):
        for name in ("peer-call", "game"):
            plan = drawn(name, tmp_path, seed)
            asked = [one["to"] for one in plan["asks"]]
            assert plan["streams"] and all(one["to"] in asked and not one["sure"] for one in plan["streams"])


def test_who_gossips_is_asked_back_at_the_port_it_asks_from(tmp_path: Path):
    for seed in range(12):
        own, back = (drawn("peer-gossip", tmp_path, seed, file) for file in ("plan", "back"))
        assert {tuple(one["to"]) for one in back["asks"]} == {tuple(own["local"])}
        assert on_paper(BY_NAME["peer-gossip"], tmp_path, seed).places[0] == "bots"


def test_a_port_that_is_taken_is_no_surprise(tmp_path: Path):
    for name in DIRECT:
        for expected in on_paper(BY_NAME[name], tmp_path, 3).expected:
            assert expected is None or TAKEN in expected


def talked(bench: Bench) -> list[str]:
    """Talk for real, once each."""
    names = ["peer-call", "peer-gossip", "relayed-call"]
    return surprises(bench, "peers", names, ("peers",), 1)


def test_peers_talk_for_real(in_world: Any):
    assert in_world(talked, limit_s=150.0) == []
