"""Shared files: a tracker of our own outside, and homes that have the files and hand them out.

The tracker tells everybody the same few that are there, among many that have gone or whose port is
closed, as trackers do (BEP 3; addresses in the compact form of BEP 23).
"""

import hashlib
import ipaddress
import random
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from training.testbed.service import Service
from training.testbed.world import World

SOURCE_TREE = Path(__file__).resolve().parents[3]
TRACKER_PORT = 6969
SEED_PORTS = (6881, 51413, 49160)
TABLE_PORTS = (6889, 6890, 6891)
"""Where the homes take TCP connections, and questions to their distributed tables by UDP."""
PIECE_BYTES = 32_768
SIZES_BYTES = (400_000, 1_500_000, 5_000_000)
INTERVAL_S = 30


def bencode(value: Any) -> bytes:
    """Return a value as BEP 3 writes it; the keys of a table are in order. TypeError for other types."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str | bytes):
        text = value.encode() if isinstance(value, str) else value
        return b"%d:%s" % (len(text), text)
    if isinstance(value, Mapping):
        return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, Sequence):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    raise TypeError(f"{type(value).__name__} cannot be bencoded")


def torrent(name: str, data: bytes, tracker: str) -> bytes:
    """Return the torrent file of one file."""
    pieces = b"".join(
        hashlib.sha1(data[at : at + PIECE_BYTES], usedforsecurity=False).digest()
        for at in range(0, len(data), PIECE_BYTES)
    )
    info = {"length": len(data), "name": name, "piece length": PIECE_BYTES, "pieces": pieces}
    return bencode({"announce": tracker, "info": info})


def compact(places: Sequence[tuple[str, int]]) -> bytes:
    """Return IPv4 addresses and ports as six bytes each."""
    return b"".join(ipaddress.IPv4Address(address).packed + port.to_bytes(2, "big") for address, port in places)


def seeds(world: World) -> list[tuple[str, int]]:
    """Return where the files are to be had."""
    return list(zip(world.host("bots").all_v4[:3], SEED_PORTS, strict=True))


def files(world: World) -> list[Path]:
    """Return the torrent files."""
    return [world.folder("torrent") / f"file{place}.torrent" for place in range(len(SIZES_BYTES))]


def serve_tracker(address: str, seed: str, there: Sequence[str], gone: Sequence[str], closed: Sequence[str]) -> None:
    """Answer announcements forever; `there` and the others are ADDRESS:PORT or addresses."""
    rng = random.Random(seed)
    known = [(one.partition(":")[0], int(one.partition(":")[2])) for one in there]

    class Tracker(BaseHTTPRequestHandler):
        """Tells who else has a file."""

        def do_GET(self) -> None:
            """Answer an announcement; who has the whole file is told nobody."""
            some = [(one, rng.randint(1025, 65_000)) for one in rng.sample(gone, rng.randint(2, min(30, len(gone))))]
            some += [(one, rng.randint(1025, 6_000)) for one in rng.sample(closed, rng.randint(0, 6))]
            some += known
            rng.shuffle(some)
            some = [] if "left=0&" in self.path + "&" else some
            text = bencode({"interval": INTERVAL_S, "peers": compact(some)})
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    ThreadingHTTPServer((address, TRACKER_PORT), Tracker).serve_forever()


def _furnish_tracker(world: World, rng: random.Random) -> None:
    folder = world.folder("torrent")
    (folder / "files").mkdir(parents=True, exist_ok=True)
    where = f"http://{world.host('internet').v4}:{TRACKER_PORT}/announce"
    for path, size in zip(files(world), SIZES_BYTES, strict=True):
        data = rng.randbytes(int(size * rng.uniform(0.7, 1.3)))
        (folder / "files" / path.stem).write_bytes(data)
        path.write_bytes(torrent(path.stem, data, where))


def _furnish_seeds(world: World, rng: random.Random) -> None:
    for address, _ in seeds(world):
        (world.folder("torrent-seeds") / address).mkdir(parents=True, exist_ok=True)


def _tracker(world: World) -> Sequence[Sequence[str]]:
    host = world.host("internet")
    words = ["env", f"PYTHONPATH={SOURCE_TREE}", sys.executable, "-m", "training.testbed.services.torrent", host.v4]
    lists = (
        [f"{address}:{port}" for address, port in seeds(world)],
        [four for four, _ in world.gone],
        [*world.host("bots").all_v4[3:], *host.all_v4[1:]],
    )
    return [[*words, host.name, *(",".join(one) for one in lists)]]


def _seeds(world: World) -> Sequence[Sequence[str]]:
    folder = world.folder("torrent")
    commands = []
    for (address, port), table in zip(seeds(world), TABLE_PORTS, strict=True):
        own = world.folder("torrent-seeds") / address
        words = ["aria2c", "-q", f"--interface={address}", f"--listen-port={port}", f"--dht-listen-port={table}"]
        words += [f"--dht-file-path={own}/dht", "--disable-ipv6", "--seed-ratio=0.0", "--bt-seed-unverified=true"]
        words += ["--enable-dht=true", f"--dir={folder}/files", "--max-concurrent-downloads=9", "--bt-max-peers=0"]
        words += ["--allow-overwrite=true", "--file-allocation=none", *map(str, files(world))]
        commands.append(words)
    return commands


# The seeds find what the tracker furnished: services are set up in the order of their names.
ARIA = {"aria2c": "aria2"}
SERVICES = (
    Service("torrent", "internet", _furnish_tracker, _tracker, {"env": "coreutils"}, tcp=(TRACKER_PORT,)),
    Service("torrent-seeds", "bots", _furnish_seeds, _seeds, ARIA, tcp=SEED_PORTS),
)

if __name__ == "__main__":
    serve_tracker(sys.argv[1], sys.argv[2], *(word.split(",") for word in sys.argv[3:6]))
