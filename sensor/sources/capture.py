"""Open a capture by what it is: a plain file, compressed with gzip or zstd, or a pipe."""

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from sensor.errors import NettrusionError
from sensor.sources.gzip import gunzip
from sensor.sources.stream import Begun, Stream, read_plain
from sensor.sources.zstd import unzstd

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
MAGIC_BYTES = 6
CAPTURES = "give a pcap or pcapng file, plain or compressed with gzip or zstd"

# Compressions and files that people hand over by mistake, by how they begin.
OTHERS = {
    b"\xfd7zXZ": "is compressed with xz; unpack it: xz -dc FILE | nettrusion score -",
    b"BZh": "is compressed with bzip2; unpack it: bzip2 -dc FILE | nettrusion score -",
    b"\x04\x22\x4d\x18": "is compressed with lz4; unpack it: lz4 -dc FILE | nettrusion score -",
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"Rar!": "is a rar archive; unpack it first",
    b"7z\xbc\xaf": "is a 7-Zip archive; unpack it first",
    b"GMBU": "is a Network Monitor capture; convert it: editcap -F pcapng FILE out.pcapng",
    b"RTSS": "is a Network Monitor capture; convert it: editcap -F pcapng FILE out.pcapng",
    b"snoop\x00": "is a snoop capture; convert it: editcap -F pcapng FILE out.pcapng",
}


def open_capture(path: Path | str) -> Stream:
    """Open one capture; `-` is standard input. What it is shows in its first bytes, not in its name.

    Raises NettrusionError, with the file and a remedy, when it is missing, a folder, empty, or something
    that is no capture by its first bytes. Whether it is one is for the flow engine's framing to say.
    """
    if str(path) == "-":
        if sys.stdin.isatty():
            raise NettrusionError(f"-: standard input is a terminal; {CAPTURES}")
        return _from_file(sys.stdin.buffer, "-", None)
    name = os.fspath(path)
    try:
        file = Path(name).open("rb")  # noqa: SIM115 -- the source that is returned closes it
    except OSError as error:
        raise NettrusionError(f"{name}: cannot open the capture: {error.strerror}; {CAPTURES}") from error
    try:
        status = os.fstat(file.fileno())
        return _from_file(file, name, status.st_size if stat.S_ISREG(status.st_mode) else None)
    except BaseException:
        file.close()
        raise


def _from_file(file: BinaryIO, name: str, size: int | None) -> Stream:
    magic = file.read(MAGIC_BYTES)
    if not magic:
        raise NettrusionError(f"{name}: is empty; {CAPTURES}")
    for start, what in OTHERS.items():
        if magic.startswith(start):
            raise NettrusionError(f"{name}: {what.replace('FILE', name)}")
    if magic.startswith(GZIP):
        return Stream(Begun(file, magic), name, size, gunzip)
    if magic.startswith(ZSTD):
        return Stream(Begun(file, magic), name, size, unzstd)
    return Stream(Begun(file, magic), name, size, read_plain)
