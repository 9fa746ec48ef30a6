"""The far ends of the DNS tunnels: iodined on the attacker's first address, dns2tcpd on its second.

iodined hands queries that are not for the tunnel on to the name server of `c2`.
"""

import os
import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.services.c2 import NAMES_PORT
from training.testbed.world import World

ZONE = "tunnel.test"
"""What iodine asks for; the names outside delegate it to the attacker."""
INNER = "172.31.77.1"
"""The attacker's address inside the tunnel."""
SECOND_ZONE = "dns2.test"
PASSWORD = "throwaway"
RESOURCES = {"ssh": 22, "http": 80}
"""What dns2tcpd connects to at its own host."""


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("tunnel")
    (folder / "empty").mkdir(parents=True, exist_ok=True)
    resources = ", ".join(f"{name}:127.0.0.1:{port}" for name, port in RESOURCES.items())
    lines = [f"listen = {world.host('attacker').all_v4[1]}", "port = 53", "user = nobody", f"chroot = {folder}/empty"]
    lines += [f"domain = {SECOND_ZONE}", f"key = {PASSWORD}", f"resources = {resources}"]
    (folder / "dns2tcpd.conf").write_text("\n".join(lines) + "\n")
    os.mkfifo(folder / "input")


def _commands(world: World) -> Sequence[Sequence[str]]:
    iodined = ["iodined", "-f", "-c", "-u", "nobody", "-P", PASSWORD, "-l", world.host("attacker").v4]
    iodined += ["-b", str(NAMES_PORT), f"{INNER}/27", ZONE]
    # It listens to its input too, and an end of that would keep it busy for ever; this has none.
    folder = world.folder("tunnel")
    return [iodined, ["sh", "-c", f"exec dns2tcpd -F -d 1 -f {folder}/dns2tcpd.conf 0<>{folder}/input"]]


SERVICES = (
    Service(
        name="tunnel",
        host="attacker",
        furnish=_furnish,
        commands=_commands,
        needs={"iodined": "iodine", "dns2tcpd": "dns2tcp"},
        udp=(53,),
    ),
)
