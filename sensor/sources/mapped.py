"""A plain capture file, mapped into memory: its packets are read where they lie."""

import mmap
from typing import BinaryIO

WINDOW_BYTES = 4 << 20


class MappedFile:
    """The bytes of a plain file. Nothing is copied; pages already used are given back as reading goes on."""

    fault: str | None = None

    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        """Map an open file of `size` bytes, at least one, and take it over."""
        self.name = name
        self.size = size
        self.position = 0
        self._file = file
        self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self._map.madvise(mmap.MADV_SEQUENTIAL)
        self._view = memoryview(self._map)
        self._end = min(size, WINDOW_BYTES)
        self._given_back = 0

    @property
    def window(self) -> memoryview:
        """The bytes at hand that have not been used."""
        return self._view[self.position : self._end]

    def advance(self, used: int) -> None:
        """Take the first `used` bytes off the window."""
        self.position = min(self.position + used, self._end)

    def more(self) -> bool:
        """Lengthen the window by a few megabytes; False at the end of the file."""
        if self._end == self.size:
            return False
        self._end = min(self.size, max(self.position, self._end) + WINDOW_BYTES)
        whole_pages = self.position - self.position % mmap.PAGESIZE
        if whole_pages > self._given_back:
            # Or a large capture would count, page for page, as memory of this process.
            self._map.madvise(mmap.MADV_DONTNEED, self._given_back, whole_pages - self._given_back)
            self._given_back = whole_pages
        return True

    def close(self) -> None:
        """Unmap and close the file."""
        self._view.release()
        self._map.close()
        self._file.close()
