"""Send the packets of a classic pcap at their own times, and note when each went: IFACE FILE TIMES.

TIMES becomes an array of Unix nanoseconds, int64. It runs in a process of its own in the far namespace.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import unpack_from

import numpy as np

NANO = 0xA1B23C4D
SPUN_NS = 500_000
"""The last of a wait is spent awake: a sleep may take a millisecond more, and a scan's answer comes in less."""


def timed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (ns, frame) of a classic little-endian or big-endian pcap; a frame is as long as on its wire."""
    order = ">" if data[0] == 0xA1 else "<"
    unit = 1 if unpack_from(f"{order}I", data)[0] == NANO else 1000
    at = 24
    while at + 16 <= len(data):
        seconds, part, captured, wire = unpack_from(f"{order}IIII", data, at)
        yield seconds * 10**9 + part * unit, data[at + 16 : at + 16 + captured].ljust(wire, b"\0")
        at += 16 + captured


def main(words: Sequence[str]) -> int:
    """Send."""
    interface, capture, times = words
    os.nice(-10)
    planned = list(timed(Path(capture).read_bytes()))
    went = np.zeros(len(planned), np.int64)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
        out.bind((interface, 0))
        ahead_ns = time.time_ns() - planned[0][0]
        for number, (when_ns, frame) in enumerate(planned):
            due_ns = when_ns + ahead_ns
            wait_ns = due_ns - time.time_ns()
            if wait_ns > SPUN_NS:
                time.sleep((wait_ns - SPUN_NS) / 1e9)
            while time.time_ns() < due_ns:
                pass
            went[number] = time.time_ns()
            out.send(frame)
    Path(times).write_bytes(went.tobytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
