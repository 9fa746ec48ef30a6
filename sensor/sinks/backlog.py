"""Lines that wait for a place: bounded in bytes, oldest first, the newest dropped when it is full."""

import threading
from collections import deque
from collections.abc import Sequence

# What one batch holds: enough for a round trip to pay, little enough that its memory does not matter.
BATCH_LINES = 1000
BATCH_BYTES = 1 << 20


class Backlog:
    """A queue between a thread that must not wait and one that may have to.

    Lines stay in it, and count, until `settle` says that they are gone. Bytes are those of the lines; Python's
    own 33 bytes a line come on top.
    """

    def __init__(self, limit_bytes: int) -> None:
        """Begin empty.

        Args:
            limit_bytes: how many bytes of lines it holds.
        """
        self.limit_bytes = limit_bytes
        self.lock = threading.Lock()
        self.lines = 0
        self.bytes = 0
        self.dropped = 0
        self._closed = False
        self._chunks: deque[Sequence[bytes]] = deque()
        self._oldest: list[bytes] = []

    def put(self, lines: Sequence[bytes]) -> tuple[bool, bool]:
        """Append lines, which nobody changes afterwards, as far as there is room for them.

        Returns:
            Whether the queue was empty before, and whether lines were dropped and counted.
        """
        size = sum(map(len, lines))
        with self.lock:
            dropped = 0
            room = 0 if self._closed else self.limit_bytes - self.bytes
            if size > room:
                whole = len(lines)
                lines, size = _that_fit(lines, room)
                dropped = whole - len(lines)
                self.dropped += dropped
            empty = not self.lines
            if lines:
                self._chunks.append(lines)
                self.lines += len(lines)
                self.bytes += size
            return empty, dropped > 0

    def batch(self) -> Sequence[bytes]:
        """Return the oldest lines, at most `BATCH_LINES` and, if more than one, at most `BATCH_BYTES`."""
        oldest = self._oldest
        with self.lock:
            while self._chunks and len(oldest) < BATCH_LINES:
                oldest.extend(self._chunks.popleft())
        size = 0
        for count, line in enumerate(oldest[:BATCH_LINES]):
            size += len(line)
            if size > BATCH_BYTES and count:
                return oldest[:count]
        return oldest[:BATCH_LINES]

    def settle(self, batch: Sequence[bytes], rest: Sequence[bytes]) -> tuple[int, int]:
        """Put what is left of a batch back to the front; return how many lines and bytes have
        gone: none once it is closed, when they were counted as dropped."""
        gone = len(batch) - len(rest)
        gone_bytes = sum(map(len, batch)) - sum(map(len, rest))
        self._oldest[: len(batch)] = rest
        with self.lock:
            if self._closed:
                return 0, 0
            self.lines -= gone
            self.bytes -= gone_bytes
        return gone, gone_bytes

    def close(self) -> int:
        """Drop and count everything, and whatever still comes; return how many lines were left."""
        with self.lock:
            self._closed = True
            left = self.lines
            self.dropped += left
            self.lines = self.bytes = 0
            self._chunks.clear()
            return left


def _that_fit(lines: Sequence[bytes], room: int) -> tuple[Sequence[bytes], int]:
    """Return the first lines that together have no more than so many bytes, and their size."""
    size = 0
    for count, line in enumerate(lines):
        if size + len(line) > room:
            return lines[:count], size
        size += len(line)
    return lines, size
