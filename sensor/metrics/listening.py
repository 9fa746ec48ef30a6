"""Where the metrics server listens: a loopback address, a Unix socket, or what else somebody wrote on purpose."""

import contextlib
import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sensor.errors import NettrusionError

MODE: Final = 0o660
"""Of the Unix socket: owner and group may scrape."""
_BACKLOG: Final = 16
_FORMS: Final = '"127.0.0.1:9765", "[::1]:9765" or "unix:/run/nettrusion/metrics.sock"'


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that listens, and for a Unix socket its file, which goes with it.

    Attributes:
        socket: takes connections without blocking.
        address: as one would write it in the configuration.
        path: the Unix socket's file, None of TCP.
        inode: that file's device and number when it was made.
    """

    socket: socket.socket
    address: str
    path: Path | None = None
    inode: tuple[int, int] = (0, 0)

    def close(self) -> None:
        """Let go; the file is removed if it is still the one that was made."""
        self.socket.close()
        if self.path is None:
            return
        with contextlib.suppress(OSError):
            if _inode(self.path) == self.inode:
                self.path.unlink()


def listen_on(listen: str) -> Listening:
    """Return a socket that listens where `listen` says; raises NettrusionError with the reason when it cannot."""
    try:
        if listen.startswith("unix:"):
            return _unix(Path(listen.removeprefix("unix:")))
        return _tcp(listen)
    except OSError as error:
        raise NettrusionError(f"metrics cannot listen at {listen}: {error.strerror or error}") from error


def _tcp(listen: str) -> Listening:
    host, colon, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    try:
        # Names are not looked up: which address one gives is another's decision.
        address = ipaddress.ip_address("127.0.0.1" if bare == "localhost" else bare)
        number = int(port) if port.isascii() and port.isdigit() else -1
        if not colon or not 0 <= number <= 65535 or (address.version == 6) != host.startswith("["):
            raise ValueError
    except ValueError:
        raise NettrusionError(f"metrics cannot listen at {listen!r}; write {_FORMS}") from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((str(address), number))
        server.listen(_BACKLOG)
        server.setblocking(False)
        return Listening(server, f"{host}:{server.getsockname()[1]}")
    except BaseException:
        server.close()
        raise


def _unix(path: Path) -> Listening:
    if not path.is_absolute() or len(os.fsencode(path)) > 107:
        raise NettrusionError(
            f"metrics cannot listen at unix:{path}: a socket's path begins with / and has at most 107 bytes"
        )
    _remove_stale(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Linux makes the file with the socket's own mode (less the umask), so it is never wider than this.
        os.fchmod(server.fileno(), MODE)
        server.bind(str(path))
        os.chmod(path, MODE)
        server.listen(_BACKLOG)
        server.setblocking(False)
        return Listening(server, f"unix:{path}", path, _inode(path))
    except BaseException:
        server.close()
        raise


def _remove_stale(path: Path) -> None:
    """Remove a socket that a sensor left behind which is no more; refuse anything else at its place."""
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found):
        raise NettrusionError(f"metrics cannot listen at unix:{path}: there is a file that is no socket; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its queue is full: somebody listens
        raise NettrusionError(f"metrics cannot listen at unix:{path}: another process answers there")


def _inode(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
