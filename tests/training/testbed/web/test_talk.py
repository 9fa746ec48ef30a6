"""The WebSocket client, with a server of the test's own at the other end of a socket pair."""

import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from training.testbed.web import talk, websocket


def test_lines_are_said_pings_answered_and_the_end_told(monkeypatch: pytest.MonkeyPatch):
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    heard: list[tuple[int, bytes]] = []

    def server() -> None:
        theirs.settimeout(5)
        theirs.sendall(websocket.encode(websocket.PING, b"?") + websocket.encode(websocket.TEXT, b"welcome"))
        buffer = b""
        # A client that does not do its part is hung up on.
        with theirs, suppress(TimeoutError):
            while not heard or heard[-1][0] != websocket.CLOSE:
                buffer += theirs.recv(4096)
                while frame := websocket.decode(buffer):
                    heard.append((frame.opcode, frame.payload))
                    buffer = buffer[frame.used :]
                    if frame.opcode == websocket.PONG:
                        os.write(write, b"one\ntwo\n")
                    if frame.payload == b"two":
                        os.close(write)

    beside = threading.Thread(target=server, daemon=True)
    beside.start()
    with os.fdopen(read) as typed, ours:
        monkeypatch.setattr(sys, "stdin", typed)
        count = talk.talk(ours)
        beside.join(10)
    assert count == 2
    assert heard == [(10, b"?"), (1, b"one"), (1, b"two"), (8, b"\x03\xe8")]


def test_a_server_that_declines_is_an_error(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def decline() -> None:
            link, _ = server.accept()
            with link:
                link.recv(4096)
                link.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

        beside = threading.Thread(target=decline)
        beside.start()
        with pytest.raises(ConnectionError, match="no WebSocket"):
            talk.connected("127.0.0.1", server.getsockname()[1], "-")
        beside.join(10)
