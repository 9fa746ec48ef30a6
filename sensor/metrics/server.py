"""A small HTTP server for one page: GET /metrics, and GET /healthz for whoever only asks whether it lives.

One thread, one request a connection, one connection at a time. Whoever connects has two seconds for
the request and two more to take the answer, however slowly bytes come, and a request is eight
kibibytes at most; so a client that hangs keeps the next one waiting for seconds, never for ever.
"""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from sensor.metrics.exposition import CONTENT_TYPE, exposition, require_client
from sensor.metrics.figures import Figures
from sensor.metrics.listening import Listening, listen_on

log = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
MAX_REQUEST: Final = 8192

Read = Callable[[], Figures]


def serve(listen: str, read: Read, healthy: Callable[[], bool] | None = None) -> "Server":
    """Answer scrapes at an address until closed.

    Args:
        listen: "127.0.0.1:9765", "[::1]:9765", "localhost:9765" or "unix:/PATH" (mode 0660). Any
            other address of this machine is taken when it is written here, and lets whoever reaches
            it read: there is no password and no encryption.
        read: returns the figures now; called in the server's thread, once a scrape.
        healthy: what /healthz says: 200 or 503. Without it the page says 200 while this thread runs.

    Raises:
        NettrusionError: prometheus-client is missing, or the address cannot be had.
    """
    require_client()
    return Server(listen_on(listen), read, healthy)


class Server:
    """Serves in a thread of its own until `close`."""

    def __init__(self, listening: Listening, read: Read, healthy: Callable[[], bool] | None) -> None:
        """Begin to serve; `serve` is the way to make one."""
        self._listening = listening
        self._read = read
        self._healthy = healthy
        self._waker, self._woken = socket.socketpair()
        self._closing = False
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, as one would write it in the configuration."""
        return self._listening.address

    def close(self) -> None:
        """Stop, also in the middle of an answer, and let go of the address; a second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._waker.send(b"x")
        self._thread.join()
        self._listening.close()
        self._waker.close()
        self._woken.close()

    def _run(self) -> None:
        server = self._listening.socket
        while self._ready(server, selectors.EVENT_READ, None):
            try:
                client, _ = server.accept()
            except OSError as error:
                # The client left before it was its turn, or descriptors are short: wait for the next.
                log.debug("metrics: no connection: %s", error)
                self._ready(None, 0, 0.1)
                continue
            with client:
                client.setblocking(False)
                try:
                    self._answer(client)
                except OSError as error:
                    log.debug("metrics: a client went away: %s", error)

    def _answer(self, client: socket.socket) -> None:
        request = self._request(client)
        if request is None:
            return
        status, kind, body = self._page(request)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        if status.startswith("405"):
            head += "Allow: GET\r\n"
        rest = memoryview(head.encode() + b"\r\n" + body)
        until_s = time.monotonic() + PATIENCE_S
        while rest and self._ready(client, selectors.EVENT_WRITE, until_s - time.monotonic()):
            rest = rest[client.send(rest) :]
        if not rest:
            client.shutdown(socket.SHUT_WR)

    def _request(self, client: socket.socket) -> bytes | None:
        """Return the head of a request, None of a client that sends none in time."""
        data = b""
        until_s = time.monotonic() + PATIENCE_S
        while b"\r\n\r\n" not in data and len(data) <= MAX_REQUEST:
            if not self._ready(client, selectors.EVENT_READ, until_s - time.monotonic()):
                return None
            piece = client.recv(MAX_REQUEST + 1 - len(data))
            if not piece:
                return None
            data += piece
        return data

    def _page(self, request: bytes) -> tuple[str, str, bytes]:
        """Return status, content type and body."""
        plain = "text/plain; charset=utf-8"
        words = request.split(b"\r\n", 1)[0].split(b" ")
        if len(request) > MAX_REQUEST:
            return "431 Request Header Fields Too Large", plain, b"too long\n"
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return "400 Bad Request", plain, b"not HTTP\n"
        if words[0] != b"GET":
            return "405 Method Not Allowed", plain, b"only GET\n"
        path = words[1].split(b"?", 1)[0]
        try:
            if path == b"/healthz":
                well = self._healthy is None or self._healthy()
                return ("200 OK", plain, b"ok\n") if well else ("503 Service Unavailable", plain, b"stuck\n")
            if path == b"/metrics":
                return "200 OK", CONTENT_TYPE, exposition(self._read())
        except Exception:  # whatever it is, capture and scoring go on, and so does this thread
            if not self._failed:
                log.exception("metrics: the figures cannot be read; said once")
            self._failed = True
            return "500 Internal Server Error", plain, b"the figures cannot be read; see the log\n"
        return "404 Not Found", plain, b"there are /metrics and /healthz\n"

    def _ready(self, sock: socket.socket | None, event: int, timeout_s: float | None) -> bool:
        """Wait for a socket, return whether it is ready: not when time is over and not when closing."""
        if timeout_s is not None and timeout_s < 0:
            return False
        with selectors.PollSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if sock is not None:
                selector.register(sock, event)
            ready = {key.fileobj for key, _ in selector.select(timeout_s)}
        return sock in ready and self._woken not in ready
