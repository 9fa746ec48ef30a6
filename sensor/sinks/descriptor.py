"""Whole lines to a file descriptor: the part that a file and standard output share."""

import errno
import logging
import os
from collections.abc import Sequence
from itertools import accumulate

log = logging.getLogger(__name__)

# What a full or failing disk answers. Everything else is a mistake and is raised.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ESTALE})


class LineWriter:
    """Writes whole lines to an open descriptor, whatever the disk does.

    A disk may take the first half of a line and then be full. The other half is held back, at most
    one line, and goes out before anything else, so that a reader sees whole lines only.
    """

    def __init__(self, descriptor: int, place: str) -> None:
        """Take over an open descriptor.

        Args:
            descriptor: open for writing; it blocks.
            place: the output's name in log messages.
        """
        self.descriptor = descriptor
        self.place = place
        self.rest = b""
        self._held_lines = 0
        self.trouble = ""
        self._said = False
        self.counts = {"lines": 0, "bytes": 0, "dropped_lines": 0, "failures": 0}

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines in one go, and drop those that the disk does not take.

        The dropped ones are counted; that there are some is logged once, and once more when the disk
        takes lines again.

        Raises:
            OSError: the output is gone (a closed pipe) or was never writable.
        """
        taken = self.take(lines)
        self.counts["dropped_lines"] += len(lines) - taken
        if self.trouble and not self._said:
            self._said = True
            log.error(
                "%s takes no more events (%s); they are dropped and counted until it does", self.place, self.trouble
            )
        elif self._said and lines and not self.trouble:
            self._said = False
            dropped = self.counts["dropped_lines"]
            log.warning("%s takes events again; %d were dropped so far", self.place, dropped)

    def take(self, lines: Sequence[bytes]) -> int:
        """Write lines in one go; return how many of the first ones need not be written again.

        A line of which the disk took a part is one of them: its end goes out first in the next call.
        `trouble` says why it was not all of them, and is empty otherwise.

        Raises:
            OSError: the output is gone (a closed pipe) or was never writable.
        """
        if not lines:
            return 0
        self.trouble = ""
        if not self.finish_line():
            return 0
        data = b"".join(lines)
        taken = self._push(data)
        if taken == len(data):
            self.counts["lines"] += len(lines)
            return len(lines)
        ends = list(accumulate(map(len, lines)))
        whole = next(index for index, end in enumerate(ends) if end > taken)
        begun = taken > (ends[whole - 1] if whole else 0)
        self.rest = data[taken : ends[whole]] if begun else b""
        self._held_lines = int(begun)
        self.counts["lines"] += whole
        return whole + begun

    def finish_line(self) -> bool:
        """Write the held back end of a line; say whether the next byte begins a line."""
        if self.rest:
            self.rest = self.rest[self._push(self.rest) :]
        if self.rest:
            return False
        self.counts["lines"] += self._held_lines
        self._held_lines = 0
        return True

    def give_up_line(self) -> int:
        """Drop the held back end of a line and count that line as lost; return how many that were, 0 or 1."""
        lost = self._held_lines
        self.counts["dropped_lines"] += lost
        self._held_lines = 0
        self.rest = b""
        return lost

    def _push(self, data: bytes) -> int:
        """Write as much as the disk takes and return how many bytes that was."""
        taken = 0
        view = memoryview(data)
        while taken < len(data):
            try:
                taken += os.write(self.descriptor, view[taken:])
            except OSError as error:
                if error.errno not in DISK_ERRORS:
                    raise
                self.counts["failures"] += 1
                self.trouble = error.strerror or "disk error"
                break
        self.counts["bytes"] += taken
        return taken
