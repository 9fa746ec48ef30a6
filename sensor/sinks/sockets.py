"""Sockets that we connect to: a stream of lines, or a datagram for each line."""

import errno
import select
import socket
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from sensor.sinks.transport import WAIT_S, Handover

CONNECT_S = 5.0
# After so long without an answer from the other machine a connection is given up.
SILENCE_MS = 30_000

Connector = Callable[[], socket.socket]
Framing = Callable[[bytes], bytes]


def as_it_is(line: bytes) -> bytes:
    """Return a line with the newline that ends it."""
    return line


def unix_connector(path: str, kind: socket.SocketKind) -> Connector:
    """Return what connects to a socket of this machine."""

    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, kind)
        try:
            connection.settimeout(CONNECT_S)
            connection.connect(path)
        except OSError:
            connection.close()
            raise
        return connection

    return connect


def tcp_connector(host: str, port: int) -> Connector:
    """Return what connects to a TCP server and notices when it no longer answers."""

    def connect() -> socket.socket:
        connection = socket.create_connection((host, port), CONNECT_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)
        return connection

    return connect


def udp_connector(host: str, port: int) -> Connector:
    """Return what makes a UDP socket that sends to one address."""

    def connect() -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        connection = socket.socket(family, kind, protocol)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    return connect


class _Connected:
    """A socket that is connected again and again."""

    def __init__(self, place: str, connector: Connector, framing: Framing = as_it_is) -> None:
        """Do not connect yet.

        Args:
            place: the peer's name in log messages.
            connector: returns a connected socket, or raises OSError.
            framing: makes a line what goes to the peer.
        """
        self._place = place
        self._connector = connector
        self._framing = framing
        self._socket: socket.socket | None = None

    @property
    def place(self) -> str:
        """The peer's name."""
        return self._place

    def connect(self) -> None:
        """Connect anew.

        Raises:
            OSError: there is nobody.
        """
        self.close()
        self._socket = self._connector()
        self._socket.settimeout(WAIT_S)

    @property
    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def reopen(self) -> None:
        """Connect anew."""
        self.connect()

    def close(self) -> int:
        """Close the connection; return 0."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        return 0


class StreamTransport(_Connected):
    """Writes lines one after the other into a connection.

    A line that a broken connection cut in two is sent whole in the next one. What this machine's kernel has taken
    counts as handed over: what a peer leaves unread there when it goes away is lost, as a stream has no answers.
    """

    _begun = b""

    def connect(self) -> None:
        """Connect anew, to begin with a whole line.

        Raises:
            OSError: there is nobody.
        """
        self._begun = b""
        super().connect()

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Write lines; those that the peer has no room for are left over."""
        frames = [self._framing(line) for line in lines]
        if self._begun:
            frames[0] = self._begun
        ends = list(accumulate(map(len, frames)))
        view = memoryview(b"".join(frames))
        sent, trouble = 0, ""
        patience_ends = time.monotonic() + WAIT_S
        try:
            self._notice_the_end()
            while sent < len(view):
                sent += self._connection.send(view[sent:])
                if time.monotonic() > patience_ends:
                    break
        except TimeoutError:
            pass
        except OSError as error:
            trouble = error.strerror or str(error)
        count = bisect_right(ends, sent)
        self._begun = bytes(view[sent : ends[count]]) if count < len(ends) else b""
        return Handover(lines[count:], trouble=trouble, broken=bool(trouble))

    def _notice_the_end(self) -> None:
        """Raise ConnectionResetError when the peer has closed: the first write after that would still succeed."""
        ready = select.poll()
        ready.register(self._connection, select.POLLIN)
        if ready.poll(0) and not self._connection.recv(4096):
            raise ConnectionResetError(errno.ECONNRESET, "closed by the other side")


class DatagramTransport(_Connected):
    """Sends each line as a datagram of its own; one that is too long for the socket is refused."""

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Send lines; those that the peer has no room for are left over."""
        refused = refused_bytes = 0
        trouble, broken = "", False
        patience_ends = time.monotonic() + WAIT_S
        count = 0
        try:
            for line in lines:
                try:
                    self._connection.send(self._framing(line))
                except OSError as error:
                    if error.errno != errno.EMSGSIZE:
                        raise
                    refused += 1
                    refused_bytes += len(line)
                count += 1
                if time.monotonic() > patience_ends:
                    break
        except TimeoutError:
            pass
        except OSError as error:
            trouble = error.strerror or str(error)
            broken = error.errno != errno.ENOBUFS
        return Handover(lines[count:], refused, refused_bytes, trouble, broken)
