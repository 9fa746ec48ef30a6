"""Peers and the relay."""

from pathlib import Path

from tests.training.testbed.web.sites import Elsewhere
from training.testbed.services.peers import PORTS, SERVICES


def test_nobody_binds_what_anothers_service_needs(tmp_path: Path):
    world = Elsewhere(tmp_path)
    outside, homes, relay = (one.commands(world)[0] for one in SERVICES)
    host = world.host("internet")
    # The first address is the relay's, and the time server has a port of its own.
    assert host.v4 not in outside[-1 - len(PORTS)].split(",") and host.all_v4[1] in outside[-1 - len(PORTS)]
    assert relay[relay.index("-L") + 1] == host.v4
    assert 53 not in PORTS and 123 not in PORTS
    assert set(world.host("bots").all_v4) == set(homes[-1 - len(PORTS)].split(","))


def test_the_relay_lets_anybody_in_and_leaves_no_log(tmp_path: Path):
    (words,) = SERVICES[2].commands(Elsewhere(tmp_path))
    assert "--no-auth" in words and words[words.index("--log-file") + 1] == "stdout"
