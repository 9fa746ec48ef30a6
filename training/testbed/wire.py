"""A wire with delay, jitter, loss and a speed: two TAP interfaces and the program between them.

Two interfaces appear in the namespace that starts it; each is then moved to where it belongs. A
frame that enters one end leaves the other after the delay, never before an earlier one of the same
host address. Unlike netem this needs no kernel module beside tun, knows how far away each address
is, and its randomness follows the recording's seed.
"""

import contextlib
import errno
import fcntl
import gc
import heapq
import ipaddress
import json
import os
import random
import select
import signal
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import NoReturn

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
FRAME_BYTES = 4096
# Frames read from one end before those that are due are delivered.
BURST = 64
# Frames under way in one direction; more are lost, as in a full queue.
MOST_FRAMES = 20_000
# The longest wait for a link's turn; a frame that would wait longer is lost.
QUEUE_S = 0.25
# How long the other traffic that makes a link's jitter stays about the same.
HOLD_S = 0.004


@dataclass(frozen=True, slots=True)
class Line:
    """What a wire does to frames: one way each, in milliseconds, a share, and Mbit/s (0: no limit).

    `addresses` are the host's; each lies up to `spread_ms` further away, by the seed.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    rate_mbit: float = 0.0
    spread_ms: float = 0.0
    addresses: tuple[str, ...] = ()
    seed: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether this does nothing to a frame, so that a veth pair will do."""
        return not (self.delay_ms or self.jitter_ms or self.loss or self.rate_mbit or self.spread_ms)

    def farther_s(self) -> dict[bytes, float]:
        """Return how many seconds further away each address is; IPv4 and IPv6 of a place alike."""
        if not self.spread_ms:
            return {}
        packed = [ipaddress.ip_address(address).packed for address in self.addresses]
        places = {4: 0, 16: 0}
        found = {}
        for address in packed:
            place = places[len(address)]
            places[len(address)] += 1
            share = random.Random(f"{self.seed} {self.addresses[0]} {place}").random()
            found[address] = share * self.spread_ms / 1e3
        return found


@dataclass(slots=True)
class Lane:
    """One direction of the wire; holds the frames under way.

    `from_host` tells which of a frame's two addresses is the host's: the source or the destination.
    `carried` and `lost` count frames; lost are those by `Line.loss` and those in a full queue.
    """

    line: Line
    from_host: bool
    rng: random.Random
    carried: int = 0
    lost: int = 0
    _farther_s: dict[bytes, float] = field(default_factory=dict)
    _last_s: dict[bytes, float] = field(default_factory=dict)
    _waiting: list[tuple[float, int, bytes]] = field(default_factory=list)
    _free_s: float = 0.0
    _jitter_s: float = 0.0
    _drawn_s: float = -1.0

    def __post_init__(self) -> None:
        """Work out what stays the same for all frames."""
        self._farther_s = self.line.farther_s()

    def take(self, frame: bytes, now_s: float) -> None:
        """Accept a frame at a time, or lose it."""
        line = self.line
        if (line.loss and self.rng.random() < line.loss) or len(self._waiting) >= MOST_FRAMES:
            self.lost += 1
            return
        due_s = now_s
        if line.rate_mbit:
            due_s = max(now_s, self._free_s) + len(frame) * 8e-6 / line.rate_mbit
            if due_s - now_s > QUEUE_S:
                self.lost += 1
                return
            self._free_s = due_s
        if line.jitter_ms:
            # Frames of one burst meet the same queue on their way; later ones meet another.
            if now_s - self._drawn_s > HOLD_S:
                self._drawn_s = now_s
                self._jitter_s = self.rng.expovariate(1e3 / line.jitter_ms)
            due_s += self._jitter_s
        due_s += line.delay_ms / 1e3
        address = b""
        if self._farther_s:
            address = host_address(frame, self.from_host)
            if address in self._farther_s:
                due_s += self._farther_s[address]
            else:
                address = b""
        due_s = max(due_s, self._last_s.get(address, 0.0))
        self._last_s[address] = due_s
        self.carried += 1
        heapq.heappush(self._waiting, (due_s, self.carried, frame))

    def due(self, now_s: float) -> list[bytes]:
        """Return the frames that have arrived at the other end by now, in order."""
        waiting, arrived = self._waiting, []
        while waiting and waiting[0][0] <= now_s:
            arrived.append(heapq.heappop(waiting)[2])
        return arrived

    def next_s(self) -> float | None:
        """Return when the next frame arrives, None if none is under way."""
        return self._waiting[0][0] if self._waiting else None


def host_address(frame: bytes, from_host: bool) -> bytes:
    """Return the source (`from_host`) or destination address of a frame; empty if it is not IP."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        return frame[26:30] if from_host else frame[30:34]
    if kind == b"\x86\xdd":
        return frame[22:38] if from_host else frame[38:54]
    return b""


def open_tap(name: str) -> int:
    """Make a TAP interface and return its file descriptor, which does not block."""
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return handle


def pump(ends: Sequence[int], lanes: Sequence[Lane]) -> NoReturn:
    """Carry frames between the two ends until the process ends; lanes[i] starts at ends[i]."""
    clock = time.monotonic
    while True:
        soonest = min((at for lane in lanes if (at := lane.next_s()) is not None), default=None)
        wait_s = None if soonest is None else max(0.0, soonest - clock())
        readable, _, _ = select.select(ends, [], [], wait_s)
        for end, lane in zip(ends, lanes, strict=True):
            if end in readable:
                with contextlib.suppress(BlockingIOError):
                    for _ in range(BURST):
                        lane.take(os.read(end, FRAME_BYTES), clock())
        for end, lane in zip(reversed(ends), lanes, strict=True):
            for frame in lane.due(clock()):
                deliver(end, frame)


def deliver(end: int, frame: bytes) -> None:
    """Write a frame to an end; one whose interface is down or full loses it, as a real wire does."""
    try:
        os.write(end, frame)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EINVAL):
            raise


def main() -> None:
    """Make both ends, say `ready`, and carry: NEAR FAR LINE (as JSON); counts are told at SIGTERM."""
    near, far, said = sys.argv[1:]
    line = Line(**json.loads(said))
    ends = (open_tap(near), open_tap(far))
    to_host, to_router = (
        Lane(line, from_host, random.Random(f"{line.seed} {far} {from_host}")) for from_host in (False, True)
    )
    with contextlib.suppress(OSError):
        # A delay must not grow with the machine's load; where this is refused, it may.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    gc.disable()  # nothing here makes cycles, and a pause would be seen on the wire
    try:
        pump(ends, (to_host, to_router))
    finally:
        lanes = (to_host, to_router)
        print(json.dumps({"carried": [one.carried for one in lanes], "lost": [one.lost for one in lanes]}))


def netem(link: str, line: Line) -> list[str]:
    """Return the command that makes what leaves an interface as late, lossy and slow as a line.

    Netem reorders frames whose delay varies unless it has a rate, so it always gets one. Its delay
    varies evenly about a mean: from the line's to as much more as makes the same mean. It does not
    know `Line.spread_ms`, and its randomness has no seed.
    """
    words = ["tc", "qdisc", "add", "dev", link, "root", "netem", "limit", str(MOST_FRAMES)]
    words += ["delay", f"{line.delay_ms + line.jitter_ms:.3f}ms", f"{line.jitter_ms:.3f}ms"]
    words += ["loss", f"{line.loss:.4%}"] if line.loss else []
    return [*words, "rate", f"{line.rate_mbit or 10_000:.3f}mbit"]


def words(near: str, far: str, line: Line) -> list[str]:
    """Return the command that runs a wire; it is to be started in the folder that holds `training`."""
    return [sys.executable, "-m", "training.testbed.wire", near, far, json.dumps(asdict(line))]


if __name__ == "__main__":
    main()
