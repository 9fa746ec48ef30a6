"""Decompress gzip piece by piece: RFC 1952, several members one behind the other."""

import zlib
from collections.abc import Iterator

from sensor.sources.stream import CHUNK_BYTES, CutShort, Reader

INPUT_BYTES = 1 << 16
GZIP_ONLY = 16 + zlib.MAX_WBITS


def gunzip(reader: Reader) -> Iterator[bytes]:
    """Hand out what a gzip file holds, in chunks of at most 256 KiB.

    Raises CutShort after the last good piece when the file ends early or is damaged. Zeros behind the last
    member are padding (as tapes have it) and ignored.
    """
    data = b""
    while data := _member_start(reader, data):
        member = zlib.decompressobj(GZIP_ONLY)
        while not member.eof:
            try:
                piece = member.decompress(data, CHUNK_BYTES)
            except zlib.error as error:
                raise CutShort(f"the gzip data is damaged ({error})") from error
            if piece:
                yield piece
            data = member.unconsumed_tail
            if not data and not member.eof and not piece:
                data = reader.read(INPUT_BYTES)
                if not data:
                    raise CutShort("the gzip data ends early")
        data = member.unused_data


def _member_start(reader: Reader, data: bytes) -> bytes:
    """Return data that begins with the next member, empty at the end of the file."""
    data = data.lstrip(b"\0")
    while not data and (chunk := reader.read(INPUT_BYTES)):
        data = chunk.lstrip(b"\0")
    return data
