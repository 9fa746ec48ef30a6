"""Name service: a dnsmasq for the house, one for everything outside, and names that go wrong.

The one outside knows the sites with all their subdomains. Three zones of its are served by a
program of ours behind it, because no name server fails on request: `dN.slow.test` is answered
after N milliseconds, `broken.test` with a server failure, and `lost.test` not at all.
"""

import heapq
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from training.testbed.service import Service
from training.testbed.world import DOMAIN, World

LATE_PORT = 5300
LATE_ADDRESS = bytes((192, 0, 2, 1))
ZONE = "works.test"
"""The zone of the domain, which its controller on the host `dc` serves."""
TUNNEL_ZONE = "tunnel.test"
"""What lies below this name the outside asks the host `attacker` about."""
ALIASES = {"www": "web", "mail": "infra", "ntp": "infra", "git": "store", "files": "store", "db": "store"}
PARTS = ("img", "static", "api", "cdn", "login", "fonts")
SERVERS_SRV = {"_imap._tcp": ("mail", 143), "_submission._tcp": ("mail", 587), "_sip._udp": ("web", 5060)}
COMMON = """\
no-resolv
no-hosts
user=root
bind-interfaces
dns-forward-max=1000
log-queries=extra
log-async=100
"""
SOURCE_TREE = Path(__file__).resolve().parents[3]


def house_config(world: World) -> str:
    """Return the configuration of the house's name server: all hosts, and where to ask on."""
    infra, folder = world.host("infra"), world.folder("dns")
    lines = [f"listen-address={infra.v4},{infra.v6}", f"pid-file={folder}/pid", f"log-facility={folder}/log"]
    lines += ["cache-size=400", f"local=/{DOMAIN}/", f"server={world.host('internet').v4}"]
    lines += [f"host-record={world.name(host.name)},{host.v4},{host.v6}" for host in world.hosts.values()]
    lines += [f"server=/{ZONE}/{host.v4}" for host in world.hosts.values() if host.name == "dc"]
    for alias, name in ALIASES.items():
        host = world.host(name)
        lines.append(f"host-record={alias}.{DOMAIN},{host.v4},{host.v6}")
    lines += [f"mx-host={DOMAIN},mail.{DOMAIN},10", f'txt-record={DOMAIN},"v=spf1 mx -all"']
    lines += [f"srv-host={kind}.{DOMAIN},{host}.{DOMAIN},{port},0,1" for kind, (host, port) in SERVERS_SRV.items()]
    return COMMON + "\n".join(lines) + "\n"


def outside_config(world: World, rng: random.Random) -> str:
    """Return the configuration of the name server outside: the sites, with times to live of seconds.

    Times to live are short because virtual hours pass in minutes: a cache forgets as it would.
    """
    internet, folder = world.host("internet"), world.folder("updns")
    lines = [f"listen-address={internet.v4},{internet.v6}", f"pid-file={folder}/pid", f"log-facility={folder}/log"]
    lines += ["cache-size=0", "local-ttl=10", "address=/#/"]
    lines += [f"server=/{zone}.test/127.0.0.1#{LATE_PORT}" for zone in ("slow", "broken", "lost")]
    lines.append(f"server=/{TUNNEL_ZONE}/{world.host('attacker').v4}")
    for site in world.sites:
        zone = site.name.removeprefix("www.")
        lines += [f"host-record={site.name},{site.v4},{site.v6},{rng.choice((3, 10, 20, 60))}"]
        lines += [f"address=/{zone}/{address}" for address in (site.v4, site.v6)]
        lines += [f"mx-host={zone},mail.{zone},{rng.choice((5, 10))}", f'txt-record={zone},"v=spf1 a -all"']
        elsewhere = rng.choice(world.sites).name
        lines += [f"cname={part}.{zone},{elsewhere},{rng.choice((3, 10, 30))}" for part in rng.sample(PARTS, 2)]
    return COMMON + "\n".join(lines) + "\n"


def _furnish_house(world: World, rng: random.Random) -> None:
    folder = world.folder("dns")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dnsmasq.conf").write_text(house_config(world))


def _furnish_outside(world: World, rng: random.Random) -> None:
    folder = world.folder("updns")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dnsmasq.conf").write_text(outside_config(world, rng))


def _dnsmasq(world: World, name: str) -> list[str]:
    return ["dnsmasq", "--keep-in-foreground", f"--conf-file={world.folder(name)}/dnsmasq.conf"]


def _house(world: World) -> Sequence[Sequence[str]]:
    return [_dnsmasq(world, "dns")]


def _outside(world: World) -> Sequence[Sequence[str]]:
    late = ["env", f"PYTHONPATH={SOURCE_TREE}", sys.executable, "-m", "training.testbed.services.names"]
    return [late, _dnsmasq(world, "updns")]


def late_answer(question: bytes) -> tuple[float, bytes] | None:
    """Return after how many seconds to answer and with what; None for silence.

    `question` is a DNS message with one question; what cannot be read gets silence too.
    """
    labels, place = [], 12
    while place < len(question) and question[place]:
        labels.append(question[place + 1 : place + 1 + question[place]].decode("latin-1").lower())
        place += 1 + question[place]
    asked = question[12 : place + 5]
    if len(question) < place + 5 or len(labels) < 2 or labels[-2] == "lost":
        return None
    (kind,) = struct.unpack_from("!H", question, place + 1)
    failed = labels[-2] == "broken"
    found = not failed and kind == 1
    head = struct.pack("!HHHHHH", 0, 0x8182 if failed else 0x8180, 1, int(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, 1, 1, 5, 4) + LATE_ADDRESS if found else b""
    digits = labels[0][1:]
    return int(digits) / 1000 if digits.isdigit() else 0.0, question[:2] + head[2:] + asked + record


def serve_late(port: int) -> None:
    """Answer on the loopback forever."""
    waiting: list[tuple[float, bytes, tuple[str, int]]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        while True:
            left_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            if select.select([server], [], [], left_s)[0]:
                question, who = server.recvfrom(4096)
                if answer := late_answer(question):
                    heapq.heappush(waiting, (time.monotonic() + answer[0], answer[1], who))
            while waiting and waiting[0][0] <= time.monotonic():
                _, said, who = heapq.heappop(waiting)
                server.sendto(said, who)


NEEDS = {"dnsmasq": "dnsmasq-base"}
SERVICES = (
    Service("dns", "infra", _furnish_house, _house, NEEDS, tcp=(53,), udp=(53,), logs=("log",)),
    Service("updns", "internet", _furnish_outside, _outside, NEEDS, tcp=(53,), udp=(53, LATE_PORT), logs=("log",)),
)

if __name__ == "__main__":
    serve_late(LATE_PORT)
