"""A folder that fills with capture files: which of its files is to be read next, and each only once."""

import os
import re
import stat
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from sensor.sources.capture import GZIP, OTHERS, ZSTD, open_capture
from sensor.sources.records import Records, is_capture
from sensor.sources.stream import Stream

MAGIC_BYTES = 4
# A capture's header and the beginning of its first packet: what two captures do not share.
HEAD_BYTES = 1024
# A compressed file that has not changed for so long is complete.
SETTLE_S = 2.0
# A new file is looked at often for so long, until its first bytes are there.
EMPTY_S = 60.0
# The folder's own time stamp says that files came or went; that one was written anew in place shows only so.
RESCAN_S = 2.0
REMEMBERED_FILES = 10_000
PACKED_SUFFIXES = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Found:
    """A capture file that is to be read.

    Attributes:
        path: where it is.
        start_ns: Unix time, ns, of its first packet; when it was last written where it has none yet.
        packed: whether it is compressed, and so complete.
    """

    path: Path
    start_ns: int
    packed: bool

    @property
    def place(self) -> tuple[int, list[tuple[int, str]]]:
        """Where it stands among others: by time, then by name, numbers in it as numbers."""
        words = re.findall(r"\d+|\D+", self.path.name)
        return self.start_ns, [(int(word), "") if word.isdecimal() else (-1, word) for word in words]


@dataclass(slots=True)
class _Seen:
    """What a file looked like when it was last looked at."""

    inode: int
    size: int
    mtime_ns: int
    since_s: float
    head: bytes = b""
    done: bool = False
    read_bytes: int = 0


class Folder:
    """The capture files of a folder; hidden files and folders in it are none of its own.

    One writer is expected: when a newer file exists, the one before it is complete.
    """

    def __init__(self, path: Path | str, *, existing: bool) -> None:
        """Look at a folder.

        Args:
            path: where it is.
            existing: whether files that are there already are to be read; else only the newest of them is.

        Raises NettrusionError when it is no folder or cannot be listed.
        """
        self.path = Path(path)
        self.notices: list[str] = []
        self._seen: dict[str, _Seen] = {}
        self._read: OrderedDict[str, bytes] = OrderedDict()
        self._listed_s = -RESCAN_S
        self._changed_ns = -1
        self._unsettled = False
        self._away = False
        self._waiting: list[Found] = []
        try:
            entries = self._list()
        except OSError as error:
            raise NettrusionError(
                f"{self.path}: cannot follow this folder: {error.strerror}; give one that a capture program fills"
            ) from error
        self._look(entries)
        if not existing:
            for seen in self._seen.values():
                seen.done = seen.size >= MAGIC_BYTES
            self._waiting = [found for found in self._waiting if not found.packed][-1:]

    def next(self) -> Found | None:
        """Take the file that is to be read next."""
        return self._waiting.pop(0) if self._waiting else None

    def waiting(self) -> bool:
        """Look at the folder, where that is due, and return whether a file is to be read."""
        now_s = time.monotonic()
        try:
            changed_ns = self.path.stat().st_mtime_ns
            if changed_ns == self._changed_ns and now_s - self._listed_s < RESCAN_S and not self._unsettled:
                return bool(self._waiting)
            self._changed_ns = changed_ns
            entries = self._list()
        except OSError as error:
            if not self._away:
                self.notices.append(f"{self.path}: the folder cannot be listed: {error.strerror}; it is waited for")
            self._away = True
            return bool(self._waiting)
        if self._away:
            self.notices.append(f"{self.path}: the folder can be listed again")
        self._away = False
        self._listed_s = now_s
        self._look(entries)
        return bool(self._waiting)

    def finished(self, found: Found, read_bytes: int, head: bytes) -> None:
        """Note that a file was read to its end and how it began, unpacked."""
        self._read[found.path.name] = head
        self._read.move_to_end(found.path.name)
        if len(self._read) > REMEMBERED_FILES:
            self._read.popitem(last=False)
        seen = self._seen.get(found.path.name)
        if seen is not None:
            seen.head, seen.read_bytes = head, read_bytes

    def again(self, found: Found) -> None:
        """Note that a file was written anew while it was read: it is to be read from its beginning."""
        self._seen.pop(found.path.name, None)
        self._listed_s = -RESCAN_S

    def _list(self) -> dict[str, os.stat_result]:
        status = {}
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    one = entry.stat()
                except OSError:
                    continue
                if stat.S_ISREG(one.st_mode):
                    status[entry.name] = one
        return status

    def _look(self, entries: dict[str, os.stat_result]) -> None:
        """Sort out what is new."""
        self._unsettled = False
        fresh = []
        for name, status in entries.items():
            seen = self._seen.get(name)
            if seen is None or self._is_another(name, seen, status):
                seen = self._seen[name] = _Seen(status.st_ino, -1, 0, time.monotonic())
            if not seen.done:
                found = self._judge(name, seen, entries)
                if found is not None:
                    fresh.append(found)
        for name in self._seen.keys() - entries.keys():
            del self._seen[name]
        self._waiting = sorted([*self._waiting, *fresh], key=lambda found: found.place)

    def _is_another(self, name: str, seen: _Seen, status: os.stat_result) -> bool:
        """Return whether a file that was done with has been written anew; say when it was added to."""
        if not seen.done or not seen.head:
            return seen.done and seen.inode != status.st_ino
        if seen.inode != status.st_ino or status.st_size < seen.size:
            return True
        if status.st_mtime_ns == seen.mtime_ns and status.st_size == seen.size:
            return False
        seen.mtime_ns, seen.size = status.st_mtime_ns, status.st_size
        if _head_of(self.path / name) != seen.head:
            return True
        if 0 < seen.read_bytes < status.st_size:
            seen.read_bytes = 0
            self.notices.append(
                f"{self.path / name}: was added to after a newer file had begun; that is not read. "
                "A folder that is followed takes the files of one capture program"
            )
        return False

    def _judge(self, name: str, seen: _Seen, entries: dict[str, os.stat_result]) -> Found | None:
        """Return what is to be read of a file that is not done with, None for nothing or not yet."""
        path, status = self.path / name, entries[name]
        if (seen.size, seen.mtime_ns) != (status.st_size, status.st_mtime_ns):
            seen.size, seen.mtime_ns, seen.since_s = status.st_size, status.st_mtime_ns, time.monotonic()
        if status.st_size < MAGIC_BYTES:
            self._unsettled = self._unsettled or time.monotonic() - seen.since_s < EMPTY_S
            return None
        try:
            head = _head_of(path)
            if not head.startswith((GZIP, ZSTD)):
                return self._judge_plain(path, seen, head)
            quiet_s = max(time.monotonic() - seen.since_s, time.time() - status.st_mtime)
            original = name.removesuffix(Path(name).suffix) if name.endswith(PACKED_SUFFIXES) else ""
            if quiet_s < SETTLE_S or original in entries:
                self._unsettled = True
                return None
            return self._judge_packed(path, seen, original)
        except (NettrusionError, OSError) as error:
            seen.done = True
            self.notices.append(f"{path}: is skipped: {getattr(error, 'strerror', None) or error}")
            return None

    def _judge_plain(self, path: Path, seen: _Seen, head: bytes) -> Found | None:
        seen.done = True
        if not is_capture(head):
            kind = next((f"it {what}" for start, what in OTHERS.items() if head.startswith(start)), "it is no capture")
            self.notices.append(f"{path}: is skipped: {kind.replace('FILE', str(path))}")
            return None
        return Found(path, _first_ns(head) or seen.mtime_ns, packed=False)

    def _judge_packed(self, path: Path, seen: _Seen, original: str) -> Found | None:
        seen.done = True
        stream = open_capture(path)
        try:
            head = unpacked_head(stream)
        finally:
            stream.close()
        if not is_capture(head):
            self.notices.append(f"{path}: is skipped: what is compressed in it is no capture")
            return None
        if self._read.get(original) == head:  # it was read before it was compressed
            return None
        return Found(path, _first_ns(head) or seen.mtime_ns, packed=True)


def unpacked_head(stream: Stream) -> bytes:
    """Return the beginning of a compressed capture that has just been opened."""
    return bytes(stream.window[:HEAD_BYTES])


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _first_ns(head: bytes) -> int | None:
    """Return the time of the first packet that a capture's first bytes show, None without one."""
    records = Records()
    records.whole(head)
    return records.first_ns
