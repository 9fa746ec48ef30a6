"""Follow a folder that fills with capture files, as `tcpdump -U -G 60 -w` and `dumpcap -b` write them.

Files are read in the order of their packets' time, the newest while it grows. Flows go on from one file to the
next. Nothing is remembered across restarts: what lies in the folder is read again, or left, as asked.
"""

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

from sensor.errors import NettrusionError
from sensor.sources.capture import open_capture
from sensor.sources.folder import HEAD_BYTES, Folder, Found, unpacked_head
from sensor.sources.stream import CHUNK_BYTES, Stream
from sensor.sources.window import WAIT_S, Window

# How late a packet may be written. A writer that buffers (tcpdump without -U) has no bound.
LAG_S = 10.0


class _Growing:
    """A plain file that may grow."""

    complete = False

    def __init__(self, path: Path) -> None:
        """Open it; raises OSError when it is gone or no plain file."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            raise OSError(0, "is no plain file any more")
        self.position = 0

    def read(self, wanted: int) -> bytes:
        """Return what is there behind what was read, at most `wanted` bytes."""
        data = os.pread(self._descriptor, wanted, self.position)
        self.position += len(data)
        return data

    def head(self) -> bytes:
        """Return its beginning."""
        return os.pread(self._descriptor, HEAD_BYTES, 0)

    @property
    def status(self) -> os.stat_result:
        """What the system says of it."""
        return os.fstat(self._descriptor)

    @property
    def fault(self) -> str | None:
        """Nothing: what is cut short may grow."""
        return None

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class _Packed:
    """A compressed file that is complete."""

    complete = True

    def __init__(self, path: Path) -> None:
        """Open it; raises NettrusionError when it cannot be unpacked."""
        self._stream: Stream = open_capture(path)
        self._head = unpacked_head(self._stream)

    def read(self, _: int) -> bytes:
        """Return the next bytes out of it."""
        data = bytes(self._stream.window)
        self._stream.advance(len(data))
        if not data and self._stream.more():
            return self.read(0)
        return data

    def head(self) -> bytes:
        """Return the beginning of what is compressed in it."""
        return self._head

    @property
    def position(self) -> int:
        """How many compressed bytes have been read."""
        return self._stream.position

    @property
    def status(self) -> None:
        """Nothing: it does not change."""
        return None

    @property
    def fault(self) -> str | None:
        """Why it gave less than it should."""
        return self._stream.fault

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class FollowSource(Window):
    """The capture files of a folder, one behind the other, for as long as it fills."""

    def __init__(self, path: Path | str, *, existing: bool = True, lag_s: float = LAG_S) -> None:
        """Begin to follow.

        Args:
            path: the folder.
            existing: whether files that are there already are read too; else only the newest of them, which
                may be growing, is.
            lag_s: how late after its time stamp a packet may be written to a file.

        Raises NettrusionError when the folder cannot be listed.
        """
        super().__init__(os.fspath(path), live=True, lag_s=lag_s)
        self._reading = threading.Lock()
        self._folder = Folder(path, existing=existing)
        self._found: Found | None = None
        self._file: _Growing | _Packed | None = None

    def notices(self) -> list[str]:
        """Return sentences that are new since the last call."""
        said, self._folder.notices = self._folder.notices, []
        return said + super().notices()

    def more(self) -> bool:
        """Get further bytes, or come back with none after a quarter of a second; False once closed."""
        with self._reading:
            self._append(b"")
            if self._closed.is_set():
                return False
            try:
                if self._step():
                    return True
            except OSError as error:  # a disk that fails, a file that its server has forgotten
                self._notices.append(f"{self.name}: cannot be read any further: {error.strerror or error}")
                self._leave()
        return not self._closed.wait(WAIT_S)

    def close(self) -> None:
        """Stop following; a wait ends."""
        self._release()
        with self._reading:
            self._leave()

    def _step(self) -> bool:
        """Read on, or go on to the next file; return whether something came of it."""
        file = self._file
        if file is None:
            if len(self.window):  # no window spans two files
                return True
            return self._folder.waiting() and self._open_next()
        if self._read(file):
            return True
        newer = self._folder.waiting()
        if self._read(file):  # what was written before the newer file began
            return True
        if self._is_cut(file):
            return True
        if newer or file.complete or self._records.damaged:
            self._finish(file)
            return self._step()
        return False

    def _read(self, file: _Growing | _Packed) -> bool:
        """Get what the file has; nothing once it is damaged."""
        if self._records.damaged:
            return False
        data = file.read(max(CHUNK_BYTES, self._pending_bytes))
        self._append(data)
        self.position = file.position
        return bool(data)

    def _open_next(self) -> bool:
        found = self._folder.next()
        if found is None:
            return False
        try:
            self._file = _Packed(found.path) if found.packed else _Growing(found.path)
        except (NettrusionError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error).removeprefix(f"{found.path}: ")
            self._notices.append(f"{found.path}: cannot be opened: {reason}; it is skipped")
            return True
        self._found, self.name = found, str(found.path)
        self._begin()
        with suppress(OSError):
            self.size = found.path.stat().st_size
        self._read(self._file)
        return True

    def _is_cut(self, file: _Growing | _Packed) -> bool:
        """Return whether the file became shorter than what was read of it, and let go of it if so."""
        status = file.status
        if status is None or status.st_size >= file.position or self._found is None:
            return False
        self._notices.append(f"{self.name}: was cut while it was read; it is read again from its beginning")
        self._folder.again(self._found)
        self._leave()
        return True

    def _finish(self, file: _Growing | _Packed) -> None:
        """Be done with a file, and say what it lacks."""
        assert self._found is not None
        read_bytes = file.position
        if self._records.damaged:
            self._notices.append(f"{self.name}: is damaged: no record can begin where the next one should")
            read_bytes = 0
        elif file.fault is not None:
            self._notices.append(f"{self.name}: {file.fault}")
        elif self._pending_bytes:
            self._notices.append(f"{self.name}: ends {self._pending_bytes} bytes into a record")
        status = file.status
        if status is not None and not status.st_nlink:
            self._notices.append(f"{self.name}: was removed while it was read; it was read to its end")
        self._folder.finished(self._found, read_bytes, file.head())
        self._leave()

    def _leave(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
