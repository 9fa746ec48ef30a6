"""Where packets come from: capture files, plain or compressed, and standard input.

A source hands out the bytes of a capture, front to back, and knows nothing of packets. Its reader asks for
the window of bytes at hand, says how many of them it has used, and asks for more:

    while True:
        source.advance(engine.feed(source.window, framing))
        if not source.more():
            break

What is left in the window at the end is a record that the file cuts short.
"""

from typing import Protocol

from sensor.sources.capture import open_capture

__all__ = ["Source", "open_capture"]


class Source(Protocol):
    """The bytes of one capture, a window at a time."""

    @property
    def name(self) -> str:
        """What to call it in messages and events: the path, or `-` for standard input."""

    @property
    def size(self) -> int | None:
        """How many bytes it has on disk, None where nobody knows (a pipe)."""

    @property
    def position(self) -> int:
        """How many of these bytes have been used; of a compressed file, how many have been read."""

    @property
    def window(self) -> memoryview:
        """The bytes at hand that have not been used; empty when there are none. Valid until `more`."""

    @property
    def fault(self) -> str | None:
        """Why there is less than there should be (a compressed file cut short), None when all is well."""

    def advance(self, used: int) -> None:
        """Take the first `used` bytes off the window."""

    def more(self) -> bool:
        """Get further bytes behind those of the window; False when there are none."""

    def close(self) -> None:
        """Let go of the file. Windows are invalid from here on."""
