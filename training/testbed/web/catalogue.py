"""What each web site has: pages, the objects on them, files, and how its server behaves.

Sizes are lognormal and heavy in the tail, as on the web; every site draws its own habits, so that
no two look alike on the wire. A site's catalogue lies beside its pages as one JSON file, which is
where plays learn what there is to ask for.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Versions = Literal["1.2", "1.3", "both"]
FILES = 12
SEGMENTS = 8
QUALITIES = (110_000, 260_000, 620_000)
"""Typical bytes of one video segment, by quality; each segment's own size lies around it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its path, its objects on the same site, and those on others as (site, path)."""

    path: str
    own: tuple[str, ...]
    foreign: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One web site.

    `sizes` has the bytes of every path that is a file. `think_ms` is how long the server takes to
    make a page on average (0: pages are plain files), `keepalive_s` how long it keeps an idle
    connection, `redirect` whether it sends plain HTTP to HTTPS, `names` how many names its
    certificate has (they make it longer), `limit_kb` the rate in kB/s of one transfer (0: any).
    """

    name: str
    http2: bool
    versions: Versions
    redirect: bool
    gzip: bool
    keepalive_s: int
    think_ms: float
    limit_kb: int
    rsa: bool
    names: int
    pages: tuple[Page, ...]
    sizes: dict[str, int]

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the files that one downloads, the smallest first."""
        return tuple(sorted((path for path in self.sizes if path.startswith("/files/")), key=self.sizes.__getitem__))

    def segments(self, quality: int) -> tuple[str, ...]:
        """Return the paths of the video in a quality, in the order of play."""
        return tuple(f"/video/{quality}/{place}.m4s" for place in range(SEGMENTS))

    def save(self, folder: Path) -> None:
        """Write the catalogue into a folder, as NAME.json."""
        (folder / f"{self.name}.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path, name: str) -> "Site":
        """Read a site's catalogue; FileNotFoundError if there is none."""
        entry: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        pages = tuple(
            Page(page["path"], tuple(page["own"]), tuple((site, path) for site, path in page["foreign"]))
            for page in entry.pop("pages")
        )
        return cls(pages=pages, **entry)


def size(rng: random.Random, typical: float, spread: float, least: int, most: int) -> int:
    """Return a lognormal size in bytes around `typical`, within bounds."""
    return min(max(int(typical * rng.lognormvariate(0.0, spread)), least), most)


def drawn(rng: random.Random, name: str, pages: int) -> Site:
    """Return a site with so many pages whose objects are all its own."""
    sizes = {f"/c/{place}.css": size(rng, 22e3, 0.8, 5_000, 200_000) for place in range(rng.randint(1, 3))}
    sizes |= {f"/c/{place}.js": size(rng, 38e3, 0.9, 5_000, 200_000) for place in range(rng.randint(1, 5))}
    common = tuple(sizes)
    made = []
    pictures = rng.lognormvariate(2.1, 0.6)
    for place in range(pages):
        path = f"/p{place}.html"
        sizes[path] = size(rng, 18e3, 0.7, 5_000, 80_000)
        count = min(int(pictures * rng.lognormvariate(0.0, 0.4)), 48)
        own = [f"/i/{place}-{number}.{rng.choice(('jpg', 'jpg', 'png', 'webp'))}" for number in range(count)]
        sizes |= {each: size(rng, 14e3, 1.3, 2_000, 400_000) for each in own}
        made.append(Page(path, (*rng.sample(common, rng.randint(1, len(common))), *own)))
    for place in range(FILES):
        sizes[f"/files/{place}.bin"] = min(int(100_000 * rng.paretovariate(0.9)), 20_000_000)
    for quality, typical in enumerate(QUALITIES):
        for place in range(SEGMENTS):
            sizes[f"/video/{quality}/{place}.m4s"] = size(rng, typical, 0.25, 20_000, 2_000_000)
    return Site(
        name=name,
        http2=rng.random() < 0.7,
        versions=rng.choices(("1.3", "both", "1.2"), (2, 6, 2))[0],
        redirect=rng.random() < 0.6,
        gzip=rng.random() < 0.5,
        keepalive_s=rng.choice((2, 5, 5, 15, 30, 65, 75)),
        think_ms=round(rng.lognormvariate(4.0, 0.8), 1) if rng.random() < 0.5 else 0.0,
        limit_kb=rng.choice((300, 800, 2000)) if rng.random() < 0.25 else 0,
        rsa=rng.random() < 0.5,
        names=min(int(rng.paretovariate(0.6)), 80),
        pages=tuple(made),
        sizes=sizes,
    )


def web_of(rng: random.Random, names: Sequence[str]) -> list[Site]:
    """Return sites whose pages also hold objects of one another, as advertisers and stores of scripts do."""
    sites = [drawn(rng, name, rng.randint(2, 6)) for name in names]
    # The last quarter is what the others embed: a script here, a picture there.
    embedded = sites[-max(len(sites) // 4, 1) :]
    return [_with_foreign(rng, site, [each for each in embedded if each is not site]) for site in sites]


def _with_foreign(rng: random.Random, site: Site, others: Sequence[Site]) -> Site:
    pages = []
    for page in site.pages:
        chosen = rng.sample(others, min(rng.choice((0, 0, 1, 1, 2, 3)), len(others)))
        foreign = [
            (other.name, path)
            for other in chosen
            for path in rng.sample([p for p in other.sizes if p[:3] in ("/c/", "/i/")], rng.randint(1, 3))
        ]
        pages.append(Page(page.path, page.own, tuple(foreign)))
    entry = {name: getattr(site, name) for name in Site.__dataclass_fields__}
    return Site(**{**entry, "pages": tuple(pages)})
