"""A file behind a queue: named by the time of day if asked for, and patient with a full disk."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sensor.errors import NettrusionError
from sensor.sinks.file import FileSink
from sensor.sinks.transport import Handover

log = logging.getLogger(__name__)


class FileTransport:
    """Appends to a file, and goes on in another one when a period is over.

    Periods are counted in wall time from 1970, so that with 86,400 seconds one ends at midnight UTC; the
    name comes from the time at which a period began, in UTC as the events are. A period without lines has
    no file. Lines that a full disk does not take stay in the queue.
    """

    def __init__(
        self, path: str, *, mode: int = 0o640, rotate_s: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the file of this moment, or make it.

        Args:
            path: the file; with `rotate_s`, a name with codes of strftime such as `eve-%Y%m%d.json`.
            mode: permission bits of a file that is made here.
            rotate_s: seconds in a period; 0 for a file that is never left.
            clock: the wall clock, in seconds.

        Raises:
            NettrusionError: the file cannot be opened, or all periods would have the same name.
        """
        if rotate_s and "%" not in path:
            raise NettrusionError(
                f"{path}: a file that is rotated needs a name with codes of strftime, such as eve-%Y%m%d-%H.json"
            )
        self._pattern = path
        self._mode = mode
        self._rotate_s = rotate_s
        self._clock = clock
        self._period = self._now()
        self._file = FileSink(self._path(), mode=mode)
        self._lost = 0
        self._gone = False

    @property
    def place(self) -> str:
        """The file's name as configured."""
        return self._pattern

    def connect(self) -> None:
        """Open a pipe anew after its reader has gone, and wait for the next one; a file is open already."""
        if self._gone:
            self._file.reopen()
            self._gone = False

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Append lines; those that a full disk does not take are left over.

        Raises:
            OSError: the path is a pipe whose reader is gone.
        """
        if self._rotate_s and self._now() != self._period:
            self._rotate()
        self._gone = True
        taken = self._file.take(lines)
        self._gone = False
        return Handover(lines[taken:], trouble=self._file.trouble)

    def reopen(self) -> None:
        """Let go of the file and open what is at its path now; when that fails, go on in the old one."""
        self._file.reopen()

    def close(self) -> int:
        """Close the file; return how many lines a full disk never took the end of, in all files so far."""
        self._leave()
        return self._lost

    def _rotate(self) -> None:
        """Go on in the file of the present period; when it cannot be opened, in the old one until the next."""
        self._period = self._now()
        try:
            file = FileSink(self._path(), mode=self._mode)
        except NettrusionError as error:
            log.error("keeping the old file: %s", error)
            return
        self._leave()
        self._file = file

    def _leave(self) -> None:
        self._file.close()
        self._lost += self._file.counters["dropped_lines"]

    def _now(self) -> int:
        """Return the time at which the present period began; 0 without periods."""
        return int(self._clock()) // self._rotate_s * self._rotate_s if self._rotate_s else 0

    def _path(self) -> Path:
        if not self._rotate_s:
            return Path(self._pattern)
        return Path(datetime.fromtimestamp(self._period, UTC).strftime(self._pattern))
