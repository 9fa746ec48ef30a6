"""A capture that comes piece by piece: a file, a pipe, or out of a compressed file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

# Large enough to spare calls, small enough that joining a rest with what follows stays in the cache.
CHUNK_BYTES = 256 << 10

# Pieces of a capture of at most a chunk (a zstd block more, at most); raises CutShort after the last.
Decompress = Callable[["Reader"], Iterator[bytes]]


class CutShort(Exception):
    """The compressed file ends early or is damaged; everything before has been handed out."""


class Reader(Protocol):
    """What a decompressor reads from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, fewer only at the end of the file."""


@dataclass(slots=True)
class Begun:
    """A file whose first bytes, `head`, have been looked at; it is read as if they had not."""

    file: BinaryIO
    head: bytes = b""

    def read(self, size: int, /) -> bytes:
        """Read up to `size` bytes, fewer only at the end."""
        head, self.head = self.head[:size], self.head[size:]
        return head + self.file.read(size - len(head))

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Stream:
    """The bytes of a capture out of a file that is read once, front to back."""

    framing: Literal["capture"] = "capture"
    live = False
    begun = 1
    horizon_ns: int | None = None
    in_iface: str | None = None
    link_type = 0
    mtu = 0

    def __init__(self, file: Begun, name: str, size: int | None, decompress: Decompress) -> None:
        """Take over an open file of `size` bytes (None for a pipe) and the way to decompress it."""
        self.name = name
        self.size = size
        self.position = 0
        self.fault: str | None = None
        self._file = file
        self._pieces = decompress(self)
        self._rest = b""
        self._used = 0
        self.more()

    @property
    def counters(self) -> Mapping[str, int]:
        """Nothing: no kernel stands between a file and its reader."""
        return {}

    def notices(self) -> list[str]:
        """Return nothing: what a file lacks is its `fault`."""
        return []

    def read(self, size: int, /) -> bytes:
        """Read from the file for the decompressor, counting what has been read."""
        data = self._file.read(size)
        self.position += len(data)
        return data

    @property
    def window(self) -> memoryview:
        """The bytes at hand that have not been used."""
        return memoryview(self._rest)[self._used :]

    def advance(self, used: int) -> None:
        """Take the first `used` bytes off the window."""
        self._used = min(self._used + used, len(self._rest))

    def more(self) -> bool:
        """Join the next pieces to what is left; False at the end.

        At least as much is added as is left, so that a record of many pieces is not copied for each.
        """
        rest = self._rest[self._used :]
        pieces = [rest]
        wanted = max(CHUNK_BYTES, len(rest))
        got = 0
        try:
            while got < wanted and (piece := next(self._pieces, None)) is not None:
                pieces.append(piece)
                got += len(piece)
        except CutShort as error:
            self.fault = str(error)
        self._rest, self._used = b"".join(pieces), 0
        return got > 0

    def close(self) -> None:
        """Close the file."""
        self._rest, self._used = b"", 0
        self._file.close()


def read_plain(reader: Reader) -> Iterator[bytes]:
    """Hand out a file as it is, in chunks."""
    while chunk := reader.read(CHUNK_BYTES):
        yield chunk
