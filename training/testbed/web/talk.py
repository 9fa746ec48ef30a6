"""A WebSocket client: each line that it reads is said, until the input ends.

Run as `python -m training.testbed.web.talk HOST PORT CA`; CA "-" talks without TLS.
"""

import os
import select
import socket
import ssl
import sys

from training.testbed.web import websocket


def connected(host: str, port: int, authority: str) -> socket.socket:
    """Return a connection that has become a WebSocket; ConnectionError if the server declines."""
    link = socket.create_connection((host, port), timeout=15)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if authority != "-":
        link = ssl.create_default_context(cafile=authority).wrap_socket(link, server_hostname=host)
    try:
        _upgrade(link, host)
    except OSError:
        link.close()
        raise
    return link


def _upgrade(link: socket.socket, host: str) -> None:
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    words = [f"GET /ws HTTP/1.1\r\nHost: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    words += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Origin: https://{host}", "\r\n"]
    link.sendall("\r\n".join(words).encode())
    answer = b""
    # Byte by byte: what follows the head is frames already.
    while not answer.endswith(b"\r\n\r\n"):
        if not (byte := link.recv(1)):
            break
        answer += byte
    if b" 101 " not in answer.split(b"\r\n")[0] or websocket.accept(key).encode() not in answer:
        raise ConnectionError(f"no WebSocket at {host}: {answer[:60]!r}")


def talk(link: socket.socket) -> int:
    """Say what standard input says and answer pings until either side ends; return frames heard."""
    buffer, heard = b"", 0
    while True:
        pending = isinstance(link, ssl.SSLSocket) and link.pending() > 0
        ready = [link] if pending else select.select([link, sys.stdin], [], [])[0]
        if sys.stdin in ready:
            typed = os.read(sys.stdin.fileno(), 65_536)
            for line in typed.splitlines():
                link.sendall(websocket.encode(websocket.TEXT, line, os.urandom(4)))
            if not typed:
                link.sendall(websocket.encode(websocket.CLOSE, b"\x03\xe8", os.urandom(4)))
                return heard
        if link in ready:
            if not (data := link.recv(65_536)):
                return heard
            buffer += data
            while frame := websocket.decode(buffer):
                buffer, heard = buffer[frame.used :], heard + 1
                if frame.opcode == websocket.PING:
                    link.sendall(websocket.encode(websocket.PONG, frame.payload, os.urandom(4)))
                elif frame.opcode == websocket.CLOSE:
                    return heard


def main(words: list[str]) -> int:
    """Talk to `HOST PORT CA`; return 0 if the server spoke, 1 if it never did."""
    link = connected(words[0], int(words[1]), words[2])
    heard = talk(link)
    link.close()
    return 0 if heard else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
