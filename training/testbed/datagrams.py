"""A program that talks UDP with many at once, as calls, games, shared files and devices do.

`python -m training.testbed.datagrams talk PLAN` plays a plan that its caller drew (JSON, see
`Plan`); `... answer SEED ADDRESS PORT...` stands for peers: each address and port has a character of
its own, drawn from the seed. A question is a STUN binding request (RFC 5389, section 6): 20 bytes
of head and what pads it to its size. Speech and pictures are RTP by their first byte (RFC 3550,
section 5.1); where its source identifier stands, a packet says how many to send back, and how large.
"""

import contextlib
import heapq
import json
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

COOKIE = 0x2112A442
REQUEST, SUCCESS = 0x0001, 0x0101
STUN_HEAD, RTP_HEAD = struct.Struct("!HHI12s"), struct.Struct("!BBHIHH")
MOST_BYTES = 1400
AGAIN_S = (0.5, 1.5, 3.5, 7.5)
"""When a question without an answer is asked again (RFC 5389, section 7.2.1: each wait twice the last)."""
TAKEN = 3
"""The exit code when the local port is another program's."""
SHARES = {"answers": 0.62, "late": 0.08, "once": 0.08, "silent": 0.22}
"""Characters of a peer, and how many have each."""


class Ask(TypedDict):
    """A question to a peer, repeated up to `again` times while there is no answer."""

    at_s: float
    to: tuple[str, int]
    size: int
    again: int


class Stream(TypedDict):
    """Packets at a pace to a peer; `back` for each (0: every fourth gets one), if it answered where `sure` is false."""

    at_s: float
    to: tuple[str, int]
    size: int
    every_s: float
    jitter: float
    count: int
    burst: int
    back: int
    back_size: int
    sure: bool


class Plan(TypedDict):
    """What one program says: from which address and port (0: any), until when it listens, to whom what."""

    local: tuple[str, int]
    until_s: float
    seed: str
    asks: Sequence[Ask]
    streams: Sequence[Stream]


def question(size: int, rng: random.Random) -> bytes:
    """Return a binding request of `size` bytes, 20 at least and a multiple of four."""
    body = max(0, min(size, MOST_BYTES) - STUN_HEAD.size) // 4 * 4
    return STUN_HEAD.pack(REQUEST, body, COOKIE, rng.randbytes(12)) + rng.randbytes(body)


def media(size: int, number: int, back: int, back_size: int, rng: random.Random) -> bytes:
    """Return an RTP-like packet of `size` bytes that wants `back` packets of `back_size` bytes."""
    head = RTP_HEAD.pack(0x80, 96, number & 0xFFFF, number * 160 & 0xFFFFFFFF, back, back_size)
    return head + rng.randbytes(max(0, min(size, MOST_BYTES) - len(head)))


def answers(said: bytes, rng: random.Random) -> list[bytes]:
    """Return what a peer says to a datagram; nothing to what it does not understand."""
    if (
        len(said) >= STUN_HEAD.size
        and said[:2] == REQUEST.to_bytes(2, "big")
        and said[4:8] == COOKIE.to_bytes(4, "big")
    ):
        body = rng.choice((12, 12, 24, 44, 60))
        return [STUN_HEAD.pack(SUCCESS, body, COOKIE, said[8:20]) + rng.randbytes(body)]
    if len(said) >= RTP_HEAD.size and said[0] == 0x80:
        _, _, number, _, back, size = RTP_HEAD.unpack_from(said)
        return [media(size, number + place, 0, 0, rng) for place in range(min(back, 8))]
    return []


def character(seed: str, address: str, port: int) -> str:
    """Return what a peer is like: it answers, late, only the first time, or never."""
    return random.Random(f"{seed} {address} {port}").choices(tuple(SHARES), tuple(SHARES.values()))[0]


def answer(seed: str, addresses: Sequence[str], ports: Sequence[int]) -> None:
    """Be the peers at all these addresses and ports, forever."""
    rng, told = random.Random(seed), set[tuple[str, int, Any]]()
    waiting: list[tuple[float, int, socket.socket, Any, bytes]] = []
    selector = selectors.DefaultSelector()
    for address in addresses:
        for port in ports:
            selector.register(_bound(address, port), selectors.EVENT_READ, character(seed, address, port))
    while True:
        left_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready, _ in selector.select(left_s):
            link = ready.fileobj
            assert isinstance(link, socket.socket)
            said, who = link.recvfrom(2048)
            mark = (*link.getsockname()[:2], who)
            if ready.data == "silent" or (ready.data == "once" and mark in told):
                continue
            if ready.data == "once":
                told.add(mark)
            wait_s = rng.lognormvariate(-0.3, 0.5) if ready.data == "late" else rng.uniform(0.0, 0.004)
            for place, text in enumerate(answers(said, rng)):
                due_s = time.monotonic() + wait_s + 0.002 * place
                heapq.heappush(waiting, (due_s, rng.getrandbits(60), link, who, text))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, link, who, text = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                link.sendto(text, who)


def _bound(address: str, port: int) -> socket.socket:
    link = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        link.bind((address, port))
        link.setblocking(False)
    except OSError:
        link.close()
        raise
    return link


def schedule(plan: Plan, rng: random.Random) -> list[tuple[float, int, Any, bytes, str]]:
    """Return a heap of what a plan sends: when, a rank, to whom, what, and "first", "again", "sure" or "maybe".

    An "again" is left out once the peer has answered, a "maybe" as long as it has not.
    """
    queue: list[tuple[float, int, Any, bytes, str]] = []
    for ask in plan["asks"]:
        text = question(ask["size"], rng)
        times = (0.0, *AGAIN_S[: ask["again"]])
        for place, after_s in enumerate(times):
            queue.append((ask["at_s"] + after_s, len(queue), tuple(ask["to"]), text, "again" if place else "first"))
    for flow in plan["streams"]:
        at_s, mood = flow["at_s"], "sure" if flow["sure"] else "maybe"
        for number in range(flow["count"]):
            if number % max(1, flow["burst"]) == 0:
                at_s += flow["every_s"] * max(0.1, rng.gauss(1.0, flow["jitter"]))
            size = max(24, round(flow["size"] * rng.gauss(1.0, 0.12)))
            back = flow["back"] or int(number % 4 == 3)
            text = media(size, number, back if flow["back_size"] else 0, flow["back_size"], rng)
            queue.append((at_s, len(queue), tuple(flow["to"]), text, mood))
    heapq.heapify(queue)
    return queue


def talk(plan: Plan) -> int:
    """Play a plan; return how many datagrams came."""
    rng, heard, count = random.Random(plan["seed"]), set[Any](), 0
    queue = schedule(plan, rng)
    began = time.monotonic()
    with _bound(*plan["local"]) as link:
        while (now_s := time.monotonic() - began) < plan["until_s"]:
            while queue and queue[0][0] <= now_s:
                _, _, to, text, mood = heapq.heappop(queue)
                if (mood == "again" and to in heard) or (mood == "maybe" and to not in heard):
                    continue
                # A port that is closed there is told at the next call, whichever it is.
                with contextlib.suppress(OSError):
                    link.sendto(text, to)
            left_s = min([plan["until_s"], *(one[0] for one in queue[:1])]) - (time.monotonic() - began)
            if not _readable(link, left_s):
                continue
            with contextlib.suppress(OSError):
                said, who = link.recvfrom(2048)
                count += 1
                heard.add(who[:2])
                if said[:2] == REQUEST.to_bytes(2, "big"):
                    for text in answers(said, rng):
                        link.sendto(text, who)
    return count


def _readable(link: socket.socket, left_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        return bool(selector.select(max(0.0, left_s)))


def main(words: Sequence[str]) -> int:
    """Do what the first word says; return 0, or TAKEN when another program has the port."""
    if words[0] == "answer":
        seed, address, *ports = words[1:]
        answer(seed, address.split(","), [int(port) for port in ports])
        return 0
    plan: Plan = json.loads(Path(words[1]).read_text())
    try:
        talk(plan)
    except OSError as problem:
        print(f"{plan['local']}: {os.strerror(problem.errno or 0)}", file=sys.stderr)
        return TAKEN
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
