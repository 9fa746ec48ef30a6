"""Tables of flows, a batch at a time: CSV as CICFlowMeter writes it, or Parquet.

with open_table("flows.parquet") as table:
    table.write(published(flows, "cns22"))
"""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np
from numpy.typing import NDArray

from sensor.errors import NettrusionError

Columns = Mapping[str, NDArray[Any] | Sequence[str]]

ROW_GROUP_ROWS = 65_536  # of Parquet: enough for its compression, little enough to hold


class Table(ABC):
    """A table that takes batches of columns; the first batch names them. Closed by `with`."""

    @abstractmethod
    def write(self, columns: Columns) -> None:
        """Append rows: columns of equal length, the same names in the same order every time."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left and let go of the file."""

    def __enter__(self) -> Self:
        """Return the table itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the table, however the block ended."""
        self.close()


def open_table(path: Path | str) -> Table:
    """Open a table by its name's ending, .csv or .parquet; `-` is CSV on standard output.

    Raises NettrusionError for another ending, when the file cannot be made, and for Parquet without
    the package pyarrow.
    """
    if str(path) == "-":
        return CsvTable(sys.stdout)
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in {".csv", ".parquet"}:
        raise NettrusionError(f"{path}: a table ends in .csv or .parquet; - is CSV to standard output")
    try:
        if ending == ".parquet":
            return ParquetTable(path)
        return CsvTable(path.open("w", encoding="utf-8", newline=""))
    except OSError as error:
        raise NettrusionError(f"{path}: cannot write the table: {error.strerror}") from error


class CsvTable(Table):
    """Comma-separated text with a header line; numbers as Python prints them, NaN, Infinity."""

    def __init__(self, file: TextIO) -> None:
        """Write to an open text file, which is closed with the table unless it is standard output."""
        self._file = file
        self._headed = False

    def write(self, columns: Columns) -> None:
        """Append rows, the header before the first of them."""
        if not self._headed:
            self._headed = True
            # A header that a release has twice is told apart by `.1` in memory, not in the file.
            names = [name.removesuffix(".1") if name.startswith(" ") else name for name in columns]
            self._file.write(",".join(map(_quoted, names)) + "\n")
        texts = [_texts(values) for values in columns.values()]
        self._file.writelines(",".join(row) + "\n" for row in zip(*texts, strict=True))

    def close(self) -> None:
        """Flush, and close the file unless it is standard output."""
        if self._file is sys.stdout:
            self._file.flush()
        else:
            self._file.close()


def _texts(values: NDArray[Any] | Sequence[str]) -> list[str]:
    if not isinstance(values, np.ndarray):
        return [_quoted(text) for text in values]
    texts = list(map(repr, values.tolist()))
    if values.dtype.kind == "f":
        for row in np.flatnonzero(~np.isfinite(values)).tolist():
            texts[row] = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[texts[row]]
    return texts


def _quoted(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class ParquetTable(Table):
    """Columns of int64, float64 and text in a Parquet file, written in groups of rows."""

    def __init__(self, path: Path) -> None:
        """Make the file; raises NettrusionError when pyarrow is not installed."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as error:
            raise NettrusionError(
                f"{path}: Parquet needs the package pyarrow: pip install 'nettrusion[parquet]'"
            ) from error
        self._arrow = pyarrow
        self._parquet = pyarrow.parquet
        self._file = path.open("wb")
        self._writer: Any = None
        self._held: list[Any] = []

    def write(self, columns: Columns) -> None:
        """Append rows; they reach the file when there are enough for a group."""
        self._held.append(self._arrow.table({name: self._typed(values) for name, values in columns.items()}))
        if sum(len(part) for part in self._held) >= ROW_GROUP_ROWS:
            self._flush()

    def _typed(self, values: NDArray[Any] | Sequence[str]) -> Any:
        # The type of text is said, or a column without rows would have none.
        text = None if isinstance(values, np.ndarray) else self._arrow.string()
        return self._arrow.array(values, text)

    def _flush(self) -> None:
        if not self._held:
            return
        rows = self._arrow.concat_tables(self._held)
        self._held.clear()
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._file, rows.schema)
        self._writer.write_table(rows)

    def close(self) -> None:
        """Write the last group and the file's footer."""
        try:
            self._flush()
            if self._writer is not None:
                self._writer.close()
        finally:
            self._file.close()


def same_file(path: Path | str, other: Path | str) -> bool:
    """Tell whether two names are one existing file: what is read must not be written over."""
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)
