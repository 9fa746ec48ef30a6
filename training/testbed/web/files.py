"""Pages and files of a web site, written to disk."""

import random
from pathlib import Path

from training.testbed.web.catalogue import Page, Site

WORDS = ("network", "sensor", "flow", "packet", "server", "river", "table", "morning", "answer", "window")
TAGS = {".css": '<link rel="stylesheet" href="{}">', ".js": '<script src="{}"></script>'}


def text(rng: random.Random, size: int) -> bytes:
    """Return `size` bytes of words."""
    stock = " ".join(rng.choices(WORDS, k=400)).encode() + b"\n"
    return (stock * (size // len(stock) + 1))[:size]


def html(page: Page, words: bytes, size: int) -> bytes:
    """Return a page of at least `size` bytes that loads its objects when it is rendered."""
    links = [*page.own, *(f"//{site}{path}" for site, path in page.foreign)]
    tags = "\n".join(TAGS.get(Path(link).suffix, '<img src="{}" alt="">').format(link) for link in links)
    head = f"<!doctype html><html><head><title>{page.path}</title></head><body>\n{tags}\n<p>".encode()
    tail = b"</p></body></html>\n"
    return head + words[: max(size - len(head) - len(tail), 0)] + tail


def write(site: Site, root: Path, rng: random.Random) -> None:
    """Write all files of a site below `root`, each as long as the catalogue says.

    What is packed on the real web (pictures, video, archives) is a hole of the right length: what
    its bytes are is nothing that a flow shows, and a hole takes no memory. Text is words, so that
    it packs as text does.
    """
    words = text(rng, 210_000)
    pages = {page.path: page for page in site.pages}
    for path, size in site.sizes.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if path in pages:
            file.write_bytes(html(pages[path], words, size))
        elif file.suffix in TAGS:
            file.write_bytes(b"/*" + words[: size - 4] + b"*/")
        else:
            with file.open("wb") as out:
                out.truncate(size)
