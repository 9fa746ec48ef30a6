"""Cache service: a redis server with a password and some thousand keys."""

import random
from collections.abc import Sequence

from training.testbed.service import Service
from training.testbed.world import World

CONFIG = """\
bind * -::*
port 6379
protected-mode no
requirepass {password}
dir {folder}
save ""
logfile {folder}/log
daemonize no
databases 4
repl-diskless-sync-delay 0
"""
KEYS = 1_500


def password(world: World) -> str:
    """Return the password of the cache, which its clients share."""
    return world.passwords["backup"]


def filling(rng: random.Random) -> bytes:
    """Return the append-only file with which the server starts: sessions, pages and counters."""
    words = []
    for place in range(KEYS):
        size = min(20_000, int(200 * rng.lognormvariate(0.0, 1.2)))
        words.append(("SET", f"page:{place}", rng.randbytes(size // 2 + 1).hex()))
    return b"".join(command(*each) for each in words)


def command(*words: str) -> bytes:
    """Return a command as redis's protocol has it."""
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    return "".join(parts).encode()


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("redis")
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "redis.conf").write_text(
        CONFIG.format(folder=folder, password=password(world)) + "appendonly yes\nappendfsync no\n"
    )
    (folder / "appendonlydir" / "appendonly.aof.1.incr.aof").write_bytes(filling(rng))
    (folder / "appendonlydir" / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")


def _commands(world: World) -> Sequence[Sequence[str]]:
    return [["redis-server", f"{world.folder('redis')}/redis.conf"]]


SERVICES = (
    Service("redis", "store", _furnish, _commands, {"redis-server": "redis-server"}, tcp=(6379,), logs=("log",)),
)
