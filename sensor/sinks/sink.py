"""What every sink can do."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Sink(Protocol):
    """Takes lines and brings them to one place."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write lines, each of which ends in its only newline; an empty sequence does nothing."""

    def flush(self) -> None:
        """Hand everything taken so far to the system."""

    def reopen(self) -> None:
        """Begin anew at the same place, as after logrotate has moved a file away."""

    def close(self) -> None:
        """Write what is still held back and let go; a second call does nothing."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What was written and what was dropped since the start."""
