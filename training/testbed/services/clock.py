"""Time service: chrony as a server in the house and outside, never setting this machine's clock."""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.world import World

CONFIG = """\
{sources}local stratum {stratum}
allow
cmdport 0
bindcmdaddress /
port 123
pidfile {folder}/pid
driftfile {folder}/drift
"""


def _furnish_house(world: World, rng: random.Random) -> None:
    servers = rng.sample(world.host("internet").all_v4, 1)
    sources = "".join(f"server {address} iburst minpoll 4 maxpoll 6\n" for address in servers)
    _furnish(world, "ntp", sources, 4)


def _furnish_outside(world: World, rng: random.Random) -> None:
    _furnish(world, "ntp-out", "", 2)


def _furnish(world: World, name: str, sources: str, stratum: int) -> None:
    folder = world.folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    text = CONFIG.format(sources=sources, stratum=stratum, folder=folder)
    (folder / "chrony.conf").write_text(text)


def _command(world: World, name: str) -> Sequence[Sequence[str]]:
    # -x: the system clock is left alone; -d: in the foreground.
    return [["chronyd", "-x", "-d", "-u", "root", "-f", f"{world.folder(name)}/chrony.conf"]]


def _house(world: World) -> Sequence[Sequence[str]]:
    return _command(world, "ntp")


def _outside(world: World) -> Sequence[Sequence[str]]:
    return _command(world, "ntp-out")


NEEDS = {"chronyd": "chrony"}
SERVICES = (
    Service("ntp-out", "internet", _furnish_outside, _outside, NEEDS, udp=(123,)),
    Service("ntp", "infra", _furnish_house, _house, NEEDS, udp=(123,)),
)
