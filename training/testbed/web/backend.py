"""The program behind the web servers: what a page alone cannot be.

It listens on a Unix socket, where nginx passes requests on, one a connection: pages that take time
to make, search, sign-in, an API, long polls, event streams and WebSockets. The search puts what it
is given into SQL as it is: it is there to be attacked, in a world that nothing leaves.

Run as `python -m training.testbed.web.backend SOCKET USERS SEED`; USERS is a JSON file of passwords.
"""

import asyncio
import json
import random
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from training.testbed.web import websocket

BODY_BYTES = 1_000_000
FORM = '<html><body><form method="post"><input name="user"><input name="password"></form>{}</body></html>'
NEWS = "Minutes of the board,Cable plan,Canteen menu,Holiday list,Printer guide,Old invoices"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as nginx passed it on."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def number(self, name: str, most: float, default: float) -> float:
        """Return a number of the query within 0..`most`; `default` if it is none."""
        try:
            return min(max(float(self.query[name]), 0.0), most)
        except (KeyError, ValueError):
            return default


class Backend:
    """The pages that are programs; each draws its delays from the backend's own random numbers."""

    def __init__(self, users: Mapping[str, str], rng: random.Random) -> None:
        """Start with a small table to search and the users who may sign in."""
        self._users = users
        self._rng = rng
        self._table = sqlite3.connect(":memory:")
        self._table.execute("create table news (id integer primary key, title text, body text)")
        self._table.execute("create table staff (name text, password text)")
        self._table.executemany("insert into news (title, body) values (?, ?)", [(t, t * 9) for t in NEWS.split(",")])
        self._table.execute("insert into staff values ('admin', 'not this one')")
        self._routes: dict[str, Callable[[Request, asyncio.StreamWriter], Awaitable[None]]] = {
            "/search": self._search,
            "/login": self._login,
            "/poll": self._poll,
            "/events": self._events,
            "/upload": self._upload,
            "/api": self._api,
            "/error": self._error,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; one that goes away meanwhile is nobody's fault."""
        try:
            request = await read(reader)
            if request.headers.get("upgrade", "").lower() == "websocket":
                await self._chat(request, reader, writer)
            else:
                route = "/" + request.path.split("/")[1]
                await self._routes.get(route, self._page)(request, writer)
            await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    async def _think(self, typical_ms: float) -> None:
        await asyncio.sleep(min(self._rng.lognormvariate(0.0, 0.5) * typical_ms / 1000, 5.0))

    async def _page(self, request: Request, writer: asyncio.StreamWriter) -> None:
        try:
            typical_ms = float(request.headers.get("x-think-ms", "0"))
        except ValueError:
            typical_ms = 0.0
        await self._think(typical_ms)
        # nginx sends the file itself.
        reply(writer, 200, b"", {"X-Accel-Redirect": f"/made{request.path}"})

    async def _search(self, request: Request, writer: asyncio.StreamWriter) -> None:
        word = request.query.get("q", "")
        await self._think(8)
        work = iter(range(200))
        self._table.set_progress_handler(lambda: 0 if next(work, None) is not None else 1, 1_000)
        try:
            rows = self._table.execute(f"select title, body from news where title like '%{word}%'").fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            reply(writer, 500, f"<html><body>database: {error}</body></html>".encode())
            return
        found = "".join(f"<li>{title}: {body}" for title, body in rows)
        reply(writer, 200, f"<html><body>{len(rows)} found for {word}<ul>{found}</ul></body></html>".encode())

    async def _login(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.method != "POST":
            reply(writer, 200, FORM.format("").encode())
            return
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        await self._think(25)
        if form.get("password") and self._users.get(form.get("user", "")) == form.get("password"):
            token = f"{self._rng.getrandbits(128):032x}"
            reply(writer, 302, b"", {"Location": "/p0.html", "Set-Cookie": f"session={token}; HttpOnly; Path=/"})
        else:
            reply(writer, 200, FORM.format("<p>wrong name or password</p>").encode())

    async def _poll(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(request.number("wait", 60.0, 5.0))
        reply(writer, 200, json.dumps({"news": self._rng.randint(0, 3)}).encode(), kind="application/json")

    async def _events(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for number in range(int(request.number("count", 200, 10))):
            body = "x" * int(self._rng.lognormvariate(4.5, 0.8))
            writer.write(f"id: {number}\ndata: {body}\n\n".encode())
            await writer.drain()
            await asyncio.sleep(self._rng.expovariate(1 / max(request.number("every", 10.0, 1.0), 0.01)))

    async def _upload(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._think(15)
        reply(writer, 201, b'{"stored": true}', kind="application/json")

    async def _api(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._think(6)
        rows = int(min(self._rng.paretovariate(0.9), 400))
        answer = {"path": request.path, "rows": [{"id": row, "value": self._rng.random()} for row in range(rows)]}
        reply(writer, 200 if request.method == "GET" else 201, json.dumps(answer).encode(), kind="application/json")

    async def _error(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._think(10)
        reply(writer, 500, b"<html><body>something went wrong</body></html>")

    async def _chat(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = websocket.accept(request.headers.get("sec-websocket-key", ""))
        head = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accepted}
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n" + lines(head) + b"\r\n")
        speaker = asyncio.create_task(self._chatter(writer))
        buffer = b""
        try:
            while data := await reader.read(65_536):
                buffer += data
                while frame := websocket.decode(buffer):
                    buffer = buffer[frame.used :]
                    if frame.opcode == websocket.CLOSE:
                        writer.write(websocket.encode(websocket.CLOSE, frame.payload))
                        return
                    if frame.opcode == websocket.TEXT:
                        writer.write(websocket.encode(websocket.TEXT, b'{"seen": ' + b"%d}" % len(frame.payload)))
        finally:
            speaker.cancel()

    async def _chatter(self, writer: asyncio.StreamWriter) -> None:
        """Others in the room speak too, and the server pings now and then."""
        while True:
            await asyncio.sleep(self._rng.lognormvariate(0.7, 0.8))
            if self._rng.random() < 0.2:
                writer.write(websocket.encode(websocket.PING, b""))
            else:
                length = min(int(self._rng.lognormvariate(4.2, 0.9)), 9_000)
                writer.write(websocket.encode(websocket.TEXT, b"x" * length))


async def read(reader: asyncio.StreamReader) -> Request:
    """Read one request; ValueError for one that is none or has too long a body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= BODY_BYTES:
        raise ValueError(f"a body of {length} bytes")
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    return Request(method, url.path, query, headers, await reader.readexactly(length))


def lines(headers: Mapping[str, str]) -> bytes:
    """Return header lines."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1", "replace")


def reply(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    kind: str = "text/html",
) -> None:
    """Write a whole answer; the connection closes after it."""
    fields = {"Content-Length": str(len(body)), "Content-Type": kind, "Connection": "close", **(headers or {})}
    writer.write(f"HTTP/1.1 {status} -\r\n".encode() + lines(fields) + b"\r\n" + body)


async def main(path: str, users: str, seed: str) -> None:
    """Serve on the Unix socket at `path` until the process is ended."""
    backend = Backend(json.loads(Path(users).read_text()), random.Random(int(seed)))
    Path(path).unlink(missing_ok=True)
    async with await asyncio.start_unix_server(backend.serve, path) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
