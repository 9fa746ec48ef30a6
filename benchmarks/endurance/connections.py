"""Whole TCP connections, each of a client of its own: IFACE CONNECTIONS A SECOND SECONDS [FIRST].

Prints, ten times a second, the Unix time and the number of the next connection. It runs in a process of its own
in the far namespace. Number N comes from client(N).
"""

import socket
import struct
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.endurance.burst import Burst

FIN, SYN, PSH, ACK = 1, 2, 8, 16
SERVER = "10.66.0.2"
STEPS = (
    (True, SYN, 0),
    (False, SYN | ACK, 0),
    (True, ACK, 0),
    (True, PSH | ACK, 90),
    (False, PSH | ACK, 100),
    (True, FIN | ACK, 0),
    (False, FIN | ACK, 0),
    (True, ACK, 0),
)
"""Whether forward, flags, bytes of payload."""
LENGTH = 14 + 40 + 100
AT_ONCE = 16
FIRST_CLIENT = 0x0A80_0000
CLIENTS = 1 << 23


def client(number: int) -> str:
    """Return the address of a connection's client, in 10.128.0.0/9."""
    return socket.inet_ntoa(struct.pack(">I", FIRST_CLIENT + number % CLIENTS))


def template() -> list[bytes]:
    """Return the frames of one connection, each `LENGTH` long, zeros where the client's address stands."""
    made = []
    ahead = bytes.fromhex("020000000002020000000001") + b"\x08\x00"
    server = socket.inet_aton(SERVER)
    for forward, flags, payload in STEPS:
        ends, ports = ((bytes(4), server), (40000, 443)) if forward else ((server, bytes(4)), (443, 40000))
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + payload, 0, 0, 64, 6, 0, *ends)
        body = struct.pack(">HHIIBBHHH", *ports, 1, 1, 0x50, flags, 8192, 0, 0) + bytes(payload)
        made.append((ahead + head + body).ljust(LENGTH, b"\0"))
    return made


def main(words: Sequence[str]) -> int:
    """Send, and say how far it is."""
    interface, rate, seconds = words[0], float(words[1]), float(words[2])
    number = begun = int(words[3]) if len(words) > 3 else 0
    burst = Burst(interface, template() * AT_ONCE)
    table = burst.octets.reshape(-1, LENGTH)
    columns = np.array([26 if forward else 30 for forward, _, _ in STEPS] * AT_ONCE)[:, None] + np.arange(4)
    rows = np.arange(len(columns))[:, None]
    begun_s = time.monotonic()
    told_s = 0.0
    while (now_s := time.monotonic() - begun_s) < seconds:
        ahead_s = (number - begun) / rate - now_s
        if ahead_s > 0:
            time.sleep(ahead_s)
        addresses = (FIRST_CLIENT + (number + np.arange(AT_ONCE)) % CLIENTS).astype(">u4").view(np.uint8).reshape(-1, 4)
        table[rows, columns] = np.repeat(addresses, len(STEPS), axis=0)
        sent = 0
        while sent < len(burst):
            sent += burst.send(sent, len(burst))
        number += AT_ONCE
        if now_s >= told_s:
            told_s = now_s + 0.1
            print(f"{time.time():.6f} {number}", flush=True)
    print(f"{time.time():.6f} {number}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
