"""The recorded world: hosts with their addresses and links, names, sites, users and passwords."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RUN = Path("/run/testbed")
DOMAIN = "home.test"
Side = Literal["inside", "servers", "outside"]
GONE_FROM, GONE = 150, 60
USERS = ("ada", "ben", "cleo", "guest", "backup")
"""The people of the network; `guest` has a password that a word list holds."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host on a link of its own to the router.

    `number` is the third part of its IPv4 network and the second of its IPv6 network. Its first
    address is `.10`; `extra` more follow it (`.11`, `.12`, ...), for a host that stands for many.
    `delay_ms` and `jitter_ms` are one way, `loss` is a share of frames, and `spread_ms` is how much
    further away the farthest of its addresses are: each has a delay of its own up to that.
    `rate_mbit` is the speed of its link each way in Mbit/s, 0 for one without a limit of its own.
    """

    name: str
    side: Side
    number: int
    prefix4: str = "10.77"
    prefix6: str = "fd77"
    extra: int = 0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    spread_ms: float = 0.0
    rate_mbit: float = 0.0

    @property
    def v4(self) -> str:
        """The host's first IPv4 address."""
        return f"{self.prefix4}.{self.number}.10"

    @property
    def v6(self) -> str:
        """The host's first IPv6 address."""
        return f"{self.prefix6}:{self.number}::10"

    @property
    def all_v4(self) -> tuple[str, ...]:
        """All IPv4 addresses of the host, the first one first."""
        return tuple(f"{self.prefix4}.{self.number}.{10 + place}" for place in range(self.extra + 1))

    @property
    def all_v6(self) -> tuple[str, ...]:
        """All IPv6 addresses of the host, in the order of `all_v4`."""
        return tuple(f"{self.prefix6}:{self.number}::{10 + place}" for place in range(self.extra + 1))


@dataclass(frozen=True, slots=True)
class Site:
    """A web site outside: its name and the addresses that the host `internet` has for it."""

    name: str
    v4: str
    v6: str


@dataclass(frozen=True, slots=True)
class World:
    """All that a play may know. `passwords` maps users, and `admin` of the web pages, to theirs."""

    hosts: Mapping[str, Host]
    passwords: Mapping[str, str]
    nat: bool = False

    def host(self, name: str) -> Host:
        """Return a host; KeyError for one that the world has not."""
        return self.hosts[name]

    def name(self, host: str) -> str:
        """Return the DNS name of a host."""
        return f"{host}.{DOMAIN}"

    @property
    def spare(self) -> str:
        """An IPv4 address in the servers' network where a host answers and nothing listens."""
        web = self.hosts["web"]
        return f"{web.prefix4}.{web.number}.200"

    @property
    def silent(self) -> str:
        """An IPv4 address in the servers' network where nobody answers."""
        web = self.hosts["web"]
        return f"{web.prefix4}.{web.number}.210"

    @property
    def gone(self) -> tuple[tuple[str, str], ...]:
        """Places outside where nobody answers, neither at an IPv4 address nor at its IPv6 one."""
        host = self.hosts["internet"]
        return tuple(
            (f"{host.prefix4}.{host.number}.{place}", f"{host.prefix6}:{host.number}::{place}")
            for place in range(GONE_FROM, GONE_FROM + GONE)
        )

    @property
    def sites(self) -> tuple[Site, ...]:
        """The web sites outside, one for each address of the host `internet`."""
        host = self.hosts["internet"]
        pairs = zip(host.all_v4, host.all_v6, strict=True)
        return tuple(Site(f"www.site{place:02d}.test", v4, v6) for place, (v4, v6) in enumerate(pairs, 1))

    def folder(self, server: str) -> Path:
        """Return the folder of a server's configuration, logs and files, in memory."""
        return RUN / server


def passwords(rng: random.Random, words: int = 14) -> dict[str, str]:
    """Return throw-away passwords: noise for all but `guest`, whose is a word and a number."""
    made = {name: f"{rng.getrandbits(4 * words):0{words}x}" for name in (*USERS, "admin")}
    made["guest"] = f"{rng.choice(('summer', 'winter', 'monday', 'dragon'))}{rng.randint(10, 99)}"
    return made
