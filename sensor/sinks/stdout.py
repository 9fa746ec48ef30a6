"""Standard output as a sink, for a pipe into jq or a container's log."""

import sys
from collections.abc import Mapping, Sequence

from sensor.sinks.descriptor import LineWriter


class StdoutSink:
    """Writes to file descriptor 1, past Python's own buffer, and leaves it open at the end."""

    def __init__(self) -> None:
        """Take standard output after what was printed before has gone out."""
        sys.stdout.flush()
        self._writer = LineWriter(1, "standard output")

    def write(self, lines: Sequence[bytes]) -> None:
        """Write whole lines.

        Raises:
            BrokenPipeError: the reader is gone; a command ends quietly then.
        """
        self._writer.write(lines)

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def reopen(self) -> None:
        """Do nothing: standard output cannot be rotated from here."""

    def close(self) -> None:
        """Finish a line that a full disk cut short; standard output stays open."""
        self._writer.finish_line()

    @property
    def counters(self) -> Mapping[str, int]:
        """Lines, bytes, dropped lines and failures since the start."""
        return dict(self._writer.counts)
