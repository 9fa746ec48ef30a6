"""How curl is asked to behave like what people and their machines use.

A `Visit` is one visitor of one site: which scheme, which program it says it is, which of the
host's addresses it comes from. It gives the words of a curl command; what is fetched, and how, is
the kind's.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.testbed.acts import Stage
from training.testbed.web.catalogue import Site
from training.testbed.world import World

CURL = {"curl": "curl"}
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari",
)
MACHINES = ("python-requests/2.32.3", "okhttp/4.12.0", "Go-http-client/1.1", "curl/7.88.1", "update-agent/3.2")
PARALLEL = 6
"""How many connections a browser opens to one HTTP/1.1 site."""
SETTINGS = {"own_share": 0.2, "plain_share": 0.12, "six_share": 0.15}
"""Shares of visits: to the network's own server, over plain HTTP where a site allows it, over IPv6."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor of one site; `base` is where its paths begin, `words` how every curl of it begins."""

    site: Site
    base: str
    words: tuple[str, ...]

    @property
    def settled(self) -> str:
        """Where the site's objects lie once a page was fetched: HTTPS if the site insists on it."""
        return f"https://{self.site.name}" if self.site.redirect else self.base

    def url(self, path: str) -> str:
        """Return the URL of a path of the site."""
        return self.base + path

    def objects(self, paths: Sequence[str], foreign: Iterable[tuple[str, str]] = ()) -> list[str]:
        """Return the words that fetch objects of the site, in curl's shorthand, and some of others."""
        scheme = self.settled.partition(":")[0]
        urls = [f"{self.settled}{{{','.join(paths)}}}"] if paths else []
        return into_nothing([*urls, *(f"{scheme}://{site}{path}" for site, path in foreign)])


def visit(
    stage: Stage,
    *,
    own: bool | None = None,
    plain: bool | None = None,
    machine: bool = False,
    like: Callable[[Site], bool] = lambda site: True,
) -> Visit:
    """Draw a visit.

    `own` forces the network's own server or a site outside, `plain` HTTP or HTTPS; a host outside
    only ever visits the network's own. A `machine` says that it is a program and has no cookies.
    `like` says which sites will do; where none of a few drawn does, it is the network's own.
    """
    rng, world, settings = stage.rng, stage.world, {**SETTINGS, **stage.settings}
    if own is None:
        own = rng.random() < settings["own_share"]
    sites = [] if own or stage.host.side == "outside" else world.sites
    # A few sites are visited often and most now and then.
    often = [1 / place**0.8 for place in range(1, len(sites) + 1)]
    names = [site.name for site in rng.choices(sites, often, k=8)] if sites else []
    site = next((site for site in (load(world, name) for name in names) if like(site)), None) or load(world, "web")
    if plain is None:
        plain = rng.random() < settings["plain_share"]
    words = ["curl", "-sS", "--cacert", str(authority(world, site)), "--connect-timeout", "8"]
    agent = rng.choice(MACHINES if machine else AGENTS)
    words += ["-A", agent]
    if not machine:
        words += ["-H", f"Accept-Language: {rng.choice(('en-GB,en;q=0.7', 'de-DE,de;q=0.8,en;q=0.5', 'fr,en;q=0.3'))}"]
        words += ["-b", f"id={rng.getrandbits(4 * min(int(rng.lognormvariate(4.2, 1.0)), 1_800)):x}"]
        words += ["--compressed"]
    six = rng.random() < settings["six_share"]
    words += source(stage, six)
    return Visit(site, f"{'http' if plain else 'https'}://{site.name}", tuple(words))


def source(stage: Stage, six: bool) -> list[str]:
    """Return curl's words for the address that a visitor comes from: of many, where its host has many."""
    if not stage.host.extra:
        return ["-6" if six else "-4"]
    return ["--interface", stage.rng.choice(stage.host.all_v6 if six else stage.host.all_v4)]


def load(world: World, name: str) -> Site:
    """Return the catalogue of a site; "web" is the network's own."""
    if name in ("web", world.name("web")):
        return Site.load(world.folder("web"), world.name("web"))
    return Site.load(world.folder("sites"), name)


def authority(world: World, site: Site) -> Path:
    """Return the certificate that a visitor of a site trusts."""
    return world.folder("web" if site.name == world.name("web") else "sites") / "tls" / "root.pem"


def into_nothing(urls: Iterable[str]) -> list[str]:
    """Return words that fetch URLs and throw away what comes."""
    return [word for url in urls for word in ("-o", "/dev/null", url)]


class PageTurns:
    """Pauses within one curl, which has no variable ones of its own: it reads a pipe between two URLs.

    curl asks for the `file://` URL of a named pipe as it asks for any, and goes on when the other
    end is closed. Its connections stay open meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        """Make pipes in a folder, one a pause."""
        self._folder = folder
        self._pipes: list[Path] = []

    def next(self) -> list[str]:
        """Return the words of one more pause."""
        pipe = self._folder / f"turn{len(self._pipes)}"
        os.mkfifo(pipe)
        self._pipes.append(pipe)
        return ["-o", "/dev/null", f"file://{pipe}"]

    def turn(self, stage: Stage, pauses_s: Sequence[float], limit_s: float = 20.0) -> None:
        """Wait for curl at each pipe, let the pause pass, let it go on; at the limit give up."""
        for pipe, pause_s in zip(self._pipes, pauses_s, strict=True):
            handle = _opened(stage, pipe, limit_s)
            if handle is None:
                return
            try:
                stage.pause(pause_s)
            finally:
                os.close(handle)


def _opened(stage: Stage, pipe: Path, limit_s: float) -> int | None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            # Nobody reads yet: curl is still at what comes before.
            stage.pause(0.05)
    return None
