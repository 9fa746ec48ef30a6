"""What brings lines to one place, behind a queue: the seam between waiting and sending."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# The longest that a `send` waits for a place that takes nothing, so that its sink can be closed.
WAIT_S = 0.25


@dataclass(frozen=True, slots=True)
class Handover:
    """What became of the lines of one `send`.

    Attributes:
        rest: the lines that the place has not got, in order; they come first in the next `send`.
        refused: how many lines the place will never take, because they are too long for it.
        refused_bytes: their size.
        trouble: why the rest did not go; empty when it merely takes time.
        broken: the connection must be made anew before the next `send`.
    """

    rest: Sequence[bytes] = ()
    refused: int = 0
    refused_bytes: int = 0
    trouble: str = ""
    broken: bool = False


class Transport(Protocol):
    """Brings lines to one place; all but `place` is called by the thread of its sink alone."""

    @property
    def place(self) -> str:
        """Where the lines go, for log messages; never a password."""

    def connect(self) -> None:
        """Make the connection, or make it anew.

        Raises:
            OSError: there is nobody, for now.
        """

    def send(self, lines: Sequence[bytes]) -> Handover:
        """Hand lines over, each of which ends in its only newline.

        What an earlier call left over comes first, the same lines in the same order, unless there was a
        `connect` in between. A line is in `rest` until the place has it. Waits no longer than `WAIT_S`
        for a place that takes nothing.
        """

    def reopen(self) -> None:
        """Begin anew at the same place, as after logrotate has moved a file away.

        Raises:
            OSError: that did not work; a `connect` is tried next.
        """

    def close(self) -> int:
        """Let go of the connection; return how many lines were taken in part and are lost after all."""
