"""A bounded reader of protocol-buffer bytes, for files that may lie.

Only what a bundle needs is understood: varints, length-delimited fields and 32-bit floats. A message
is read against a schema that names every field it may have; whatever else it has is refused. Nothing
here recurses, and the number of fields read from one file is capped.

The format: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MAX_FIELDS: Final = 200_000
"""Fields read one by one from one file: a second, 40 MB. A forest of 800 trees has 50,000."""
MAX_LIST_BYTES: Final = 1 << 22
"""Bytes of one list of numbers: 100 MB while it is decoded. A large forest has 1.5 million."""
_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


class Kind(Enum):
    """How a field's value stands in the bytes, and whether it may repeat."""

    INT = auto()
    FLOAT = auto()
    BYTES = auto()
    INT_LIST = auto()
    FLOAT_LIST = auto()
    BYTES_LIST = auto()


_WIRE_TYPE: Final = {
    Kind.INT: _VARINT,
    Kind.INT_LIST: _VARINT,
    Kind.FLOAT: _FIXED32,
    Kind.FLOAT_LIST: _FIXED32,
    Kind.BYTES: _LENGTH,
    Kind.BYTES_LIST: _LENGTH,
}

Schema = Mapping[int, tuple[str, Kind]]
"""Field number -> (name, kind). A field that is not listed is refused."""


@dataclass(slots=True)
class Reader:
    """Reads messages of one file and counts what it has read, so that the file cannot be endless."""

    fields_left: int = MAX_FIELDS

    def read(self, data: memoryview, schema: Schema, what: str) -> dict[str, Any]:
        """Return the fields of one message by name.

        A field of kind INT is an int (64 bits, signed), FLOAT a float, BYTES a memoryview; INT_LIST
        is an int64 array, FLOAT_LIST a float32 array, BYTES_LIST a list of memoryviews. A field that
        the message does not have is missing from the result. `what` names the message in errors.

        Raises ValueError with a reason when the bytes are cut short, a field is unknown or has
        another type, or a field that stands once stands twice.
        """
        found: dict[str, Any] = {}
        position = 0
        while position < len(data):
            start = position
            self._count(what)
            tag, position = varint(data, position, what)
            name, kind = schema.get(tag >> 3, (None, None))
            if name is None or kind is None:
                raise ValueError(f"{what} has the field number {tag >> 3}, which no bundle has")
            if tag & 7 != _WIRE_TYPE[kind]:
                raise ValueError(f"{what}: the field {name} has another type than it must")
            if name in found and kind is not Kind.BYTES_LIST:
                raise ValueError(f"{what}: the field {name} stands twice")
            if kind is Kind.INT_LIST:
                found[name], position = _int_run(data, start, what)
            elif kind is Kind.FLOAT_LIST:
                found[name], position = _float_run(data, start, what)
            elif kind is Kind.INT:
                value, position = varint(data, position, what)
                found[name] = value - (1 << 64) if value >> 63 else value
            elif kind is Kind.FLOAT:
                found[name] = float(np.frombuffer(take(data, position, 4, what), "<f4")[0])
                position += 4
            else:
                length, position = varint(data, position, what)
                piece = take(data, position, length, what)
                position += length
                if kind is Kind.BYTES:
                    found[name] = piece
                else:
                    found.setdefault(name, []).append(piece)
        return found

    def _count(self, what: str) -> None:
        self.fields_left -= 1
        if self.fields_left < 0:
            raise ValueError(f"{what}: the file has more than {MAX_FIELDS} fields")


def varint(data: memoryview, position: int, what: str) -> tuple[int, int]:
    """Return the number at a position and the position behind it; raises ValueError when it is none."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError(f"{what} is cut short")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, position
    raise ValueError(f"{what} has a number of more than 64 bits")


def take(data: memoryview, position: int, length: int, what: str) -> memoryview:
    """Return `length` bytes at a position; raises ValueError when they are not all there."""
    if length > len(data) - position:
        raise ValueError(f"{what} is cut short")
    return data[position : position + length]


def _int_run(data: memoryview, start: int, what: str) -> tuple[NDArray[np.int64], int]:
    """Return the values of a run of varint fields with one and the same tag, and where it ends.

    Tag and value alternate, both varints, so that the whole run is decoded at once: one by one, the
    quarter million numbers of a forest take a second.
    """
    window = 64
    while True:
        raw = np.frombuffer(data[start : start + window], np.uint8)
        ends = np.flatnonzero(raw < 0x80)
        ends = ends[: len(ends) // 2 * 2]
        starts = np.append(0, ends[:-1] + 1)[: len(ends)]
        same_tag = (starts[::2] == ends[::2]) & (raw[starts[::2]] == raw[0])
        run = len(same_tag) if same_tag.all() else int(np.argmin(same_tag))
        if run < len(same_tag) or start + window >= len(data):
            break
        window = _grow(window, what)
    if run == 0:
        raise ValueError(f"{what} is cut short")
    first, last = starts[1 : 2 * run : 2], ends[1 : 2 * run : 2]
    longest = int((last - first).max())
    if longest > 9:
        raise ValueError(f"{what} has a number of more than 64 bits")
    values = np.zeros(run, np.uint64)
    for byte in range(longest + 1):
        has = first + byte <= last
        bits = raw[first[has] + byte].astype(np.uint64) & np.uint64(0x7F)
        values[has] |= bits << np.uint64(7 * byte)
    return values.view(np.int64), start + int(last[-1]) + 1


def _float_run(data: memoryview, start: int, what: str) -> tuple[NDArray[np.float32], int]:
    """Return the values of a run of 32-bit fields with one and the same tag, and where it ends."""
    window = 320
    while True:
        raw = np.frombuffer(data[start : start + window], np.uint8)
        rows = raw[: len(raw) // 5 * 5].reshape(-1, 5)
        same_tag = rows[:, 0] == raw[0]
        run = len(same_tag) if same_tag.all() else int(np.argmin(same_tag))
        if run < len(same_tag) or start + window >= len(data):
            break
        window = _grow(window, what)
    if run == 0:
        raise ValueError(f"{what} is cut short")
    values = np.ascontiguousarray(rows[:run, 1:]).view("<f4").reshape(run)
    return values.astype(np.float32), start + 5 * run


def _grow(window: int, what: str) -> int:
    if window >= MAX_LIST_BYTES:
        raise ValueError(f"{what} has a list of more than {MAX_LIST_BYTES} bytes")
    return window * 4
