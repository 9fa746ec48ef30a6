"""A progress bar on standard error: bytes read of a capture, drawn only where somebody looks at it."""

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

from sensor.sources import Source

INTERVAL_S: Final = 0.1
BAR_CELLS: Final = 24
ERASE: Final = "\r\x1b[K"


class Progress:
    """Draws one line over and over; nothing at all when standard error is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Draw to `stream`, standard error by default."""
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._drawn = False
        self._next_s = 0.0

    def __enter__(self) -> Self:
        """Begin; nothing is drawn yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave a clean line, also after an error."""
        self.clear()

    def __call__(self, source: Source) -> None:
        """Show how far a source has been read, at most ten times a second."""
        if not self._live:
            return
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + INTERVAL_S
            self._stream.write(ERASE + line(source.name, source.position, source.size))
            self._stream.flush()
            self._drawn = True

    def clear(self) -> None:
        """Erase the line, so that something else can be printed in its place."""
        if self._drawn:
            self._stream.write(ERASE)
            self._stream.flush()
            self._drawn = False


def line(name: str, position: int, size: int | None) -> str:
    """Return the bar's text: a part of a known size, or only how much was read."""
    short = printable(name.rsplit("/", 1)[-1])[:32]
    if not size:
        return f"{short}  {size_text(position)}"
    share = min(1.0, position / size)
    filled = round(share * BAR_CELLS)
    bar = "#" * filled + "." * (BAR_CELLS - filled)
    return f"{short}  [{bar}] {share:4.0%}  {size_text(position)} of {size_text(size)}"


def printable(text: str) -> str:
    """Return a text without what could move a terminal's cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def size_text(size_bytes: float) -> str:
    """Return a number of bytes for people, in powers of 1000."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size_bytes /= 1000
        if size_bytes < 999.95:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1000:.1f} TB"
