"""A file as a sink: appended to, rotated by moving it away and asking for a new one.

A symbolic link is followed: `/dev/stdout` is one, and so is a log directory's usual indirection.
What keeps a stranger from planting one is the directory, which only the sensor's user may write.
"""

import logging
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from sensor.errors import NettrusionError
from sensor.sinks.descriptor import LineWriter

log = logging.getLogger(__name__)

# Longer than the longest line.
TAIL_BYTES = 64 * 1024


class FileSink:
    """Appends whole lines to a file.

    An event at the end of the file that is torn, because the writer was killed or the machine lost power in the
    middle of it, is removed, and a warning says so; other text without a newline at its end is kept and gets one.
    A pipe or device at the path is written to as it is.
    """

    def __init__(self, path: Path, *, mode: int = 0o640, fresh: bool = False) -> None:
        """Open the file, or make it.

        Args:
            path: the file; its directory must exist.
            mode: permission bits of a file that is made here, whatever the umask; one that is
                there keeps its own.
            fresh: empty the file first; only at this opening, never at a `reopen`.

        Raises:
            NettrusionError: the file cannot be opened for writing.
        """
        self.path = path
        self.mode = mode
        self._closed = False
        descriptor = _open(path, mode)
        if fresh and _is_regular(descriptor):
            os.ftruncate(descriptor, 0)
        self._writer = LineWriter(descriptor, str(path))
        self._writer.rest = _mend(descriptor, path)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write whole lines, and drop and count those that a full disk does not take.

        Raises:
            OSError: the path is a pipe whose reader is gone.
        """
        self._writer.write(lines)

    def take(self, lines: Sequence[bytes]) -> int:
        """Write lines; return how many of the first ones need not be written again.

        One that a full disk took in part is among them, and its end is kept; `trouble` says what was wrong.

        Raises:
            OSError: the path is a pipe whose reader is gone.
        """
        return self._writer.take(lines)

    @property
    def trouble(self) -> str:
        """Why the last `take` could not write every line; empty when it could."""
        return self._writer.trouble

    def flush(self) -> None:
        """Do nothing: every line goes to the system at once."""

    def reopen(self) -> None:
        """Let go of the file and open what is at the path now, a new file where nothing is.

        When that fails, the old file stays in use and an error is logged: a sensor does not stop
        for a rotation gone wrong.
        """
        try:
            descriptor = _open(self.path, self.mode)
        except NettrusionError as error:
            log.error("keeping the old file: %s", error)
            return
        self._release()
        self._writer.descriptor = descriptor
        self._writer.rest = _mend(descriptor, self.path)

    def close(self) -> None:
        """Finish the last line and close the file."""
        if not self._closed:
            self._closed = True
            self._release()

    @property
    def counters(self) -> Mapping[str, int]:
        """Lines, bytes, dropped lines and failures since the start."""
        return dict(self._writer.counts)

    def _release(self) -> None:
        """Close the descriptor; a last line that the disk never took whole is taken back."""
        writer = self._writer
        if not writer.finish_line():
            writer.give_up_line()
            if _is_regular(writer.descriptor):
                _remove_torn_line(writer.descriptor)
        os.close(writer.descriptor)


def _open(path: Path, mode: int) -> int:
    """Return a descriptor that appends to the file at a path."""
    flags = os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    try:
        try:
            descriptor = os.open(path, flags | os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            os.fchmod(descriptor, mode)
        except FileExistsError:
            # A pipe opened for reading too would never say that its reader is gone.
            regular = stat.S_ISREG(path.stat().st_mode)
            descriptor = os.open(path, flags | (os.O_RDWR if regular else os.O_WRONLY))
    except OSError as error:
        raise NettrusionError(_sentence(path, error)) from error
    return descriptor


def _sentence(path: Path, error: OSError) -> str:
    """Return why a file cannot be written and what would help."""
    if not path.parent.is_dir():
        return f"cannot write {path}: there is no directory {path.parent}; make it first"
    if path.is_dir():
        return f"cannot write {path}: it is a directory; name a file in it"
    if path.is_symlink() and not path.exists():
        return f"cannot write {path}: it is a link to {path.readlink()}, which does not exist"
    if isinstance(error, PermissionError):
        return (
            f"cannot write {path}: user {os.geteuid()} may not; "
            f"check the owner and mode of it and of {path.parent.absolute()}"
        )
    return f"cannot write {path}: {error.strerror}"


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _mend(descriptor: int, path: Path) -> bytes:
    """Remove a torn event from the end; return what must be written so that the next byte begins a line."""
    if not _is_regular(descriptor):
        return b""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - TAIL_BYTES)
    tail = os.pread(descriptor, TAIL_BYTES, begin)
    torn = tail[tail.rfind(b"\n") + 1 :]
    if not torn:
        return b""
    if not torn.startswith(b"{") or (len(torn) == len(tail) and begin):
        return b"\n"
    os.ftruncate(descriptor, size - len(torn))
    log.warning("%s: removed the last event, of which only %d bytes had been written", path, len(torn))
    return b""


def _remove_torn_line(descriptor: int) -> None:
    """Cut a file behind its last newline, which is never far from the end."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - TAIL_BYTES)
    at = os.pread(descriptor, TAIL_BYTES, begin).rfind(b"\n")
    if at >= 0 or begin == 0:
        os.ftruncate(descriptor, begin + at + 1)
