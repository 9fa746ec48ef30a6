"""Decompress zstd block by block: RFC 8878, several frames one behind the other.

The frames are walked here and only their blocks are given to the library. So every step yields at most one
block (128 KiB) however small its compressed form is, and a file that ends within a frame is noticed.
"""

from collections.abc import Iterator

from sensor.errors import NettrusionError
from sensor.sources.stream import CutShort, Reader

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = range(0x184D2A50, 0x184D2A60)
# What `zstd --long` makes; a frame may make its reader allocate this much.
WINDOW_BYTES = 1 << 27
RLE_BLOCK, RESERVED_BLOCK = 1, 3


def unzstd(reader: Reader) -> Iterator[bytes]:
    """Hand out what a zstd file holds, a block at a time.

    Raises NettrusionError when the package `zstandard` is not installed, CutShort after the last good block
    when the file ends early, is damaged, or needs a window of more than 128 MiB.
    """
    try:
        import zstandard
    except ModuleNotFoundError as error:
        raise NettrusionError(
            "a capture compressed with zstd needs the package zstandard: pip install 'nettrusion[zstd]', "
            "or unpack it: zstd -dc FILE | nettrusion score -"
        ) from error
    library = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
    while magic := reader.read(4):
        number = int.from_bytes(magic, "little")
        if number in SKIPPABLE:
            _skip(reader, int.from_bytes(_exactly(reader, 4), "little"))
            continue
        if magic != MAGIC:
            raise CutShort("the zstd data is damaged (no frame where one should begin)")
        frame = library.decompressobj()
        try:
            for part in _parts(reader, magic):
                piece = frame.decompress(part)
                if piece:
                    yield piece
        except zstandard.ZstdError as error:
            raise CutShort(f"the zstd data is damaged ({error})") from error


def _parts(reader: Reader, magic: bytes) -> Iterator[bytes]:
    """Yield a frame's header, its blocks one by one, and its checksum."""
    descriptor = _exactly(reader, 1)
    flags = descriptor[0]
    single_segment = flags >> 5 & 1
    content_bytes = (single_segment, 2, 4, 8)[flags >> 6]
    dictionary_bytes = (0, 1, 2, 4)[flags & 3]
    yield magic + descriptor + _exactly(reader, (1 - single_segment) + dictionary_bytes + content_bytes)
    last = False
    while not last:
        header = _exactly(reader, 3)
        word = int.from_bytes(header, "little")
        last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
        if kind == RESERVED_BLOCK:
            raise CutShort("the zstd data is damaged (a block of no known kind)")
        yield header + _exactly(reader, 1 if kind == RLE_BLOCK else size)
    if flags >> 2 & 1:
        yield _exactly(reader, 4)


def _exactly(reader: Reader, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise CutShort("the zstd data ends early")
    return data


def _skip(reader: Reader, size: int) -> None:
    while size:
        size -= len(_exactly(reader, min(size, 1 << 16)))
