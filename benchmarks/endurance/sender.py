"""Send at a rate, 0 for as fast as it goes, in a process of its own in the far namespace.

    IFACE SECONDS PACKETS_A_SECOND syn TARGET PORT    SYNs, each of a random source
    IFACE SECONDS PACKETS_A_SECOND capture FILE       the packets of a capture, again and again

Prints how many were sent.
"""

import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.endurance.burst import Burst
from tests.sensor.flows.frames import frames

AT_ONCE = 512
SYN = 2
SOURCE_AT, PORT_AT, SEQUENCE_AT = 26, 34, 38
"""Where a frame has its source address, source port and sequence number."""


def syn(target: str, port: int) -> bytes:
    """Return a SYN with its source to be filled in; checksums are left zero, nobody checks them here."""
    tcp = struct.pack(">HHIIBBHHH", 0, port, 0, 0, 0x50, SYN, 64240, 0, 0)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, bytes(4), socket.inet_aton(target))
    return bytes.fromhex("020000000002020000000001") + b"\x08\x00" + head + tcp + bytes(6)


def forged(table: NDArray[np.uint8], chance: np.random.Generator) -> None:
    """Give every frame, a row each, a source of its own that is no multicast and not the loopback."""
    for at, size in ((SOURCE_AT, 4), (PORT_AT, 2), (SEQUENCE_AT, 4)):
        table[:, at : at + size] = chance.integers(0, 256, (len(table), size), dtype=np.uint8)
    table[:, SOURCE_AT] = chance.integers(20, 120, len(table), dtype=np.uint8)


def send(burst: Burst, seconds: float, pps: int, renew: Callable[[], None] | None = None) -> int:
    """Send round and round; `renew` is called at the beginning of each round. Return how many were sent."""
    share = max(1, min(AT_ONCE, pps // 200)) if pps else AT_ONCE
    begun_s, sent, at = time.monotonic(), 0, 0
    while (now_s := time.monotonic() - begun_s) < seconds:
        if pps and sent > now_s * pps:
            time.sleep(sent / pps - now_s)
        if at == 0 and renew is not None:
            renew()
        went = burst.send(at, share)
        sent += went
        at = (at + went) % len(burst)
    return sent


def main(words: Sequence[str]) -> int:
    """Send, and print how many."""
    interface, seconds, pps, kind, *rest = words
    if kind == "syn":
        burst = Burst(interface, [syn(rest[0], int(rest[1]))] * AT_ONCE)
        table, chance = burst.octets.reshape(AT_ONCE, -1), np.random.default_rng(1)
        print(send(burst, float(seconds), int(pps), lambda: forged(table, chance)))
    else:
        burst = Burst(interface, [one.data.ljust(one.wire, b"\0") for one in frames(Path(rest[0]).read_bytes())])
        print(send(burst, float(seconds), int(pps)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
