"""A wire with delay, jitter and loss: two TAP interfaces and the program between them.

Two interfaces appear in the namespace that starts it; one is then moved to the host. A frame
that enters one end leaves the other after the delay, never before an earlier one. Unlike netem
this needs no kernel module beside tun, and its randomness follows the recording's seed.
"""

import fcntl
import os
import random
import select
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass, field

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
FRAME_BYTES = 65536


@dataclass(slots=True)
class Lane:
    """One direction of the wire: delays in seconds, loss as a share; holds the frames under way."""

    delay_s: float
    jitter_s: float
    loss: float
    rng: random.Random
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)

    def take(self, frame: bytes, now_s: float) -> None:
        """Accept a frame at a time, or lose it."""
        if self.rng.random() < self.loss:
            return
        due = now_s + max(0.0, self.delay_s + self.rng.gauss(0.0, self.jitter_s / 2))
        last = self.waiting[-1][0] if self.waiting else 0.0
        self.waiting.append((max(due, last), frame))

    def due(self, now_s: float) -> list[bytes]:
        """Return the frames that have arrived at the other end by now, in order."""
        arrived = []
        while self.waiting and self.waiting[0][0] <= now_s:
            arrived.append(self.waiting.popleft()[1])
        return arrived

    def wait_s(self, now_s: float) -> float | None:
        """Return how long until the next frame arrives, None if none is under way."""
        return max(0.0, self.waiting[0][0] - now_s) if self.waiting else None


def open_tap(name: str) -> int:
    """Make a TAP interface and return its file descriptor."""
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return handle


def pump(ends: tuple[int, int], lanes: tuple[Lane, Lane]) -> None:
    """Carry frames between the two ends until the process is killed; lanes[i] starts at ends[i]."""
    while True:
        now = time.monotonic()
        waits = [wait for lane in lanes if (wait := lane.wait_s(now)) is not None]
        readable, _, _ = select.select(ends, [], [], min(waits, default=None))
        for end, lane in zip(ends, lanes, strict=True):
            if end in readable:
                lane.take(os.read(end, FRAME_BYTES), time.monotonic())
        now = time.monotonic()
        for end, lane in zip(reversed(ends), lanes, strict=True):
            for frame in lane.due(now):
                deliver(end, frame)


def deliver(end: int, frame: bytes) -> None:
    """Write a frame to an end; one whose interface is down loses it, as a real wire does."""
    try:
        os.write(end, frame)
    except OSError:
        return


def main() -> None:
    """Make both ends, say `ready`, and carry: NEAR FAR DELAY_MS JITTER_MS LOSS SEED."""
    near, far, delay_ms, jitter_ms, loss, seed = sys.argv[1:]
    ends = (open_tap(near), open_tap(far))
    to_far, to_near = (
        Lane(
            float(delay_ms) / 1e3,
            float(jitter_ms) / 1e3,
            float(loss),
            random.Random(f"{seed} {far} {way}"),
        )
        for way in ("out", "back")
    )
    print("ready", flush=True)
    pump(ends, (to_far, to_near))


if __name__ == "__main__":
    main()
