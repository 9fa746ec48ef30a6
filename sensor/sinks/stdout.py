"""Standard output as a sink, for a pipe into jq or a container's log."""

import sys
from collections.abc import Mapping, Sequence

from sensor.sinks.descriptor import LineWriter
from sensor.sinks.transport import Handover


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


class StdoutTransport:
    """Standard output behind a queue: a reader that stalls holds up the sink's thread alone."""

    def __init__(self) -> None:
        """Take standard output after what was printed before has gone out."""
        sys.stdout.flush()
        self._writer = LineWriter(1, self.place)

    @property
    def place(self) -> str:
        """Its name."""
        return "standard output"

    def connect(self) -> None:
        """Do nothing: it is open."""

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Write whole lines; waits for as long as the reader takes nothing.

        Raises:
            BrokenPipeError: the reader is gone.
        """
        taken = self._writer.take(lines)
        return Handover(lines[taken:], trouble=self._writer.trouble)

    def reopen(self) -> None:
        """Do nothing: standard output cannot be rotated from here."""

    def close(self) -> int:
        """Finish a line that a full disk cut short; return 1 when that fails, else 0."""
        return 0 if self._writer.finish_line() else self._writer.give_up_line()
