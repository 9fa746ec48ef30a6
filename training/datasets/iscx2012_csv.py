"""The CSV release of ISCXIDS2012: a row a flow, headed by the names of the XML's elements."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sensor.errors import NettrusionError
from training.datasets.iscx2012_xml import NULS, Record

NEEDED = frozenset({"source", "destination", "startDateTime", "Tag"})
TELLING = frozenset({"totalSourceBytes", "sourceTCPFlagsDescription", "protocolName"})
NUL = "\0"
_PAYLOAD = "Payload"
_LONGEST_CELL_CHARS = 1 << 29


def is_csv(head: bytes) -> bool:
    """Say whether a file that begins so is of this kind, by its header."""
    try:
        names = _header(head.split(b"\n", 1)[0].decode("utf-8", "replace"))
    except csv.Error:
        return False
    return set(names) >= NEEDED and bool(TELLING & set(names))


def read(path: Path, notes: Counter[str]) -> Iterator[Record]:
    """Yield the rows of a file as records whose own tag is the file's name; payloads are left out.

    Args:
        path: the CSV.
        notes: NUL bytes in cells that are no payload are counted here, and read as blanks.

    Raises:
        NettrusionError: a row has more or fewer cells than the header, or a cell that is no payload
            has a line end in it, as where a quote is lost and swallows the rows behind it or the file
            is cut short; it cannot be read, or has no row.
    """
    before = csv.field_size_limit(_LONGEST_CELL_CHARS)
    rows = 0
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
            cells = csv.reader(stream)
            names = [name.strip() for name in next(cells, [])]
            kept = [place for place, name in enumerate(names) if _PAYLOAD not in name]
            for row in cells:
                if not row:
                    continue
                if len(row) != len(names):
                    raise NettrusionError(
                        f"{path}: line {cells.line_num}: {len(row)} cells below a header of {len(names)};"
                        " the file is damaged or cut short: fetch it again"
                    )
                record = {names[place]: row[place].replace(NUL, " ").strip() for place in kept}
                notes[NULS] += sum(row[place].count(NUL) for place in kept)
                if broken := [name for name, text in record.items() if "\n" in text or "\r" in text]:
                    raise NettrusionError(
                        f"{path}: line {cells.line_num}: {broken[0]} goes over several lines;"
                        " a quote is missing before it: fetch the file again"
                    )
                rows += 1
                yield path.stem, record
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
    except csv.Error as problem:
        raise NettrusionError(f"{path}: row {rows + 2}: {problem}; fetch the file again") from problem
    finally:
        csv.field_size_limit(before)
    if not rows:
        raise NettrusionError(f"{path}: no flow records below its header")


def _header(line: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line.lstrip("\ufeff").rstrip("\r")]), [])]
