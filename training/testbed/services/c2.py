"""What the bots of the recorded network report to: an HTTP(S) server, an IRC server, a console, TXT answers.

A check-in says itself how much it wants back (`n=BYTES`, or `get BYTES` at the console), because
what an act is like is drawn by the act. The name server answers behind the tunnel's, which hands
on what is not for it.
"""

import asyncio
import contextlib
import random
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

from training.testbed.service import Service
from training.testbed.world import World

SOURCE_TREE = Path(__file__).resolve().parents[3]
HTTP, HTTPS, IRC, CONSOLE = 80, (443, 8443), 6667, 4444
NAMES_PORT = 5353
ZONE = "c2.test"
MOST_BYTES = 4_000_000
HURRY_S = 300.0
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer_to(question: bytes, rng: random.Random) -> bytes:
    """Return the answer to a DNS query of one question: a TXT of some random words, else an address.

    A message that cannot be read gets no answer (empty).
    """
    end = 12
    while end < len(question) and question[end]:
        end += 1 + question[end]
    if len(question) < end + 5 or question[4:6] != b"\0\1":
        return b""
    asked = question[12 : end + 5]
    kind = question[end + 1 : end + 3]
    if kind == b"\0\x10":
        size = min(200, round(rng.lognormvariate(3.6, 0.7)))
        text = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=size)).encode()
        data = bytes((len(text),)) + text
    else:
        kind, data = b"\0\1", bytes((10, *rng.randbytes(3)))
    head = question[:2] + b"\x85\x80\0\1\0\1\0\0\0\0"
    return head + asked + b"\xc0\x0c" + kind + b"\0\1\0\0\0\1" + len(data).to_bytes(2, "big") + data


class Names(asyncio.DatagramProtocol):
    """Answers DNS queries over UDP."""

    def __init__(self, rng: random.Random) -> None:
        """Start without a socket."""
        self._rng = rng
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        answer = answer_to(data, self._rng)
        if self._transport and answer:
            self._transport.sendto(answer, addr)


class Console:
    """The TCP services; each method talks to one client until it leaves or falls silent."""

    def __init__(self, rng: random.Random) -> None:
        """Draw answers from `rng`."""
        self._rng = rng

    async def web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer HTTP/1.1 requests: any path, as many bytes as its query wants, uploads are swallowed."""
        while head := await reader.readuntil(b"\r\n\r\n"):
            first, *lines = head.decode("latin-1").split("\r\n")
            fields = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
            if "100-continue" in fields.get("expect", ""):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._swallow(reader, fields)
            query = parse_qs(urlsplit(first.split()[1]).query)
            body = self._rng.randbytes(min(int(query.get("n", ["2"])[0]), MOST_BYTES))
            kind = self._rng.choice(("text/html", "application/octet-stream", "image/gif", "application/json"))
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            if not first.startswith("HEAD"):
                writer.write(body)
            await writer.drain()

    async def _swallow(self, reader: asyncio.StreamReader, fields: dict[str, str]) -> None:
        if fields.get("transfer-encoding", "") == "chunked":
            while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
            return
        left = int(fields.get("content-length", "0"))
        while left > 0:
            left -= len(got := await reader.read(min(left, 65_536)))
            if not got:
                return

    async def chat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak as much IRC as a bot needs: a welcome, a channel with a topic, PONG, orders in between."""
        while line := (await reader.readline()).decode("latin-1").split():
            said, rest = line[0].upper(), line[1:] or ["x"]
            if said == "USER":
                for number, text in ((1, "Welcome"), (2, "Your host is irc"), (376, "End of /MOTD command.")):
                    writer.write(f":irc {number:03d} bot :{text}\r\n".encode())
            elif said == "JOIN":
                words = "".join(self._rng.choices("abcdef ", k=60))
                writer.write(f":irc 332 bot {rest[0]} :{words}\r\n:irc 366 bot {rest[0]} :End\r\n".encode())
            elif said == "PING":
                writer.write(f":irc PONG irc {rest[0]}\r\n".encode())
            elif said == "PRIVMSG":
                order = self._rng.choice((".status", ".update http://198.51.100.7/a", ".sleep 600", ".scan 22"))
                writer.write(f":boss!b@irc PRIVMSG {rest[0]} :{order}\r\n".encode())
            elif said == "QUIT":
                return
            await writer.drain()

    async def console(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer lines: `get BYTES` with so many bytes, everything else with an order or a sign of life."""
        while line := (await reader.readline()).split():
            if line[0] == b"get" and len(line) > 1:
                writer.write(self._rng.randbytes(min(int(line[1]), MOST_BYTES)))
            else:
                writer.write(self._rng.choice((b"ok\n", b"id\n", b"ls -la /home\n", b"cat /etc/hostname\n")))
            await writer.drain()

    async def serve(self, folder: Path) -> None:
        """Open all ports and answer until the process ends."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        plain = [(HTTP, self.web), (IRC, self.chat), (CONSOLE, self.console)]
        servers = [await asyncio.start_server(guarded(talk), None, port) for port, talk in plain]
        servers += [await asyncio.start_server(guarded(self.web), None, port, ssl=tls) for port in HTTPS]
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: Names(self._rng), local_addr=("127.0.0.1", NAMES_PORT))
        await asyncio.gather(*(server.serve_forever() for server in servers))


def guarded(talk: Talk) -> Talk:
    """Return a conversation that ends when the client leaves, breaks the rules or takes too long."""

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError, ValueError, IndexError)
        with contextlib.suppress(*gone):
            await asyncio.wait_for(talk(reader, writer), HURRY_S)
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 2)

    return whole


def _furnish(world: World, rng: random.Random) -> None:
    folder = world.folder("c2")
    folder.mkdir(parents=True, exist_ok=True)
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += ["-days", "30", "-subj", f"/CN=cdn.{ZONE}", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(made, check=True, capture_output=True)
    (folder / "seed").write_text(str(rng.getrandbits(32)))


def _commands(world: World) -> Sequence[Sequence[str]]:
    own = [sys.executable, "-m", "training.testbed.services.c2", str(world.folder("c2"))]
    return [["env", f"PYTHONPATH={SOURCE_TREE}", *own]]


SERVICES = (
    Service(
        name="c2",
        host="attacker",
        furnish=_furnish,
        commands=_commands,
        needs={"openssl": "openssl"},
        tcp=(HTTP, *HTTPS, IRC, CONSOLE),
        udp=(NAMES_PORT,),
    ),
)


def main(folder: Path) -> None:
    """Serve from a folder that holds certificate, key and seed."""
    asyncio.run(Console(random.Random(int((folder / "seed").read_text()))).serve(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
