"""Those with whom people's programs talk directly: peers behind many addresses, and a relay for calls.

Peers lie on the outside's addresses and on the bots', whose owners know nothing of what else their
machines do. Some answer, some late, some once, some never; where nothing is bound the host itself
refuses, and `World.gone` is silence.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.world import World

SOURCE_TREE = Path(__file__).resolve().parents[3]
STUN_PORT = 19302
PORTS = (3074, 3478, STUN_PORT, 6881, 9000, 27015, 30303, 40123, 49160, 51413, 57621, 62078)
"""Ports on which there are peers, at every address of their hosts; TURN has the first address' 3478."""
RELAY_PORTS = (50_000, 50_999)


def _furnish(world: World, rng: random.Random) -> None:
    for name in ("peers", "peers-bots", "relay"):
        world.folder(name).mkdir(parents=True, exist_ok=True)


def _peers(world: World, host: str, addresses: Sequence[str], ports: Sequence[int]) -> list[str]:
    words = ["env", f"PYTHONPATH={SOURCE_TREE}", sys.executable, "-S", "-m", "training.testbed.datagrams", "answer"]
    return [*words, host, ",".join(addresses), *map(str, ports)]


def _outside(world: World) -> Sequence[Sequence[str]]:
    host = world.host("internet")
    return [_peers(world, host.name, (*host.all_v4[1:], *host.all_v6[1:]), PORTS)]


def _homes(world: World) -> Sequence[Sequence[str]]:
    host = world.host("bots")
    return [_peers(world, host.name, host.all_v4, PORTS)]


def _relay(world: World) -> Sequence[Sequence[str]]:
    here, folder = world.host("internet").v4, world.folder("relay")
    words = ["turnserver", "-n", "-L", here, "-E", here, "-p", "3478", "--no-auth", "--no-tls", "--no-dtls", "--no-cli"]
    words += ["--min-port", str(RELAY_PORTS[0]), "--max-port", str(RELAY_PORTS[1]), "-m", "1", "--no-rfc5780"]
    words += ["--allow-loopback-peers", "--db", f"{folder}/turndb", "--log-file", "stdout", "--simple-log"]
    return [[*words, "--pidfile", f"{folder}/pid", "--realm", "home.test"]]


PYTHON = {"env": "coreutils"}
SERVICES = (
    Service("peers", "internet", _furnish, _outside, PYTHON, udp=PORTS),
    Service("peers-bots", "bots", _furnish, _homes, PYTHON, udp=PORTS),
    Service("relay", "internet", _furnish, _relay, {"turnserver": "coturn"}, udp=(3478,)),
)
