"""The many name servers that a resolver asks: one dnsmasq at all addresses outside but the first."""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.services.names import COMMON, NEEDS
from training.testbed.world import World


def servers(world: World) -> tuple[str, ...]:
    """Return the addresses of the name servers that answer."""
    return world.host("internet").all_v4[1:]


def config(world: World, rng: random.Random) -> str:
    """Return the configuration: any name has an address, a few zones none, answers of many sizes."""
    folder = world.folder("zones")
    lines = [f"listen-address={address}" for address in servers(world)]
    lines += [
        f"pid-file={folder}/pid",
        f"log-facility={folder}/log",
        "cache-size=0",
        f"local-ttl={rng.randint(20, 600)}",
    ]
    lines += ["address=/test/192.0.2.7", "address=/test/2001:db8:ffff::7", "local=/none.test/"]
    for place in range(40):
        zone = f"z{place}.test"
        lines += [f"host-record=r{part}.{zone},192.0.2.{rng.randint(1, 250)}" for part in range(rng.randint(1, 3))]
        lines += [f"mx-host={zone},mx{part}.{zone},{10 * part}" for part in range(rng.randint(1, 4))]
        lines += [f'txt-record={zone},"{rng.getrandbits(4 * rng.randint(20, 200)):x}"']
    return COMMON + "\n".join(lines) + "\n"


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("zones")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dnsmasq.conf").write_text(config(world, rng))


def _commands(world: World) -> Sequence[Sequence[str]]:
    return [["dnsmasq", "--keep-in-foreground", f"--conf-file={world.folder('zones')}/dnsmasq.conf"]]


SERVICES = (Service("zones", "internet", _furnish, _commands, NEEDS, udp=(53,), tcp=(53,), logs=("log",)),)
