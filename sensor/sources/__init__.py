"""Where packets come from: capture files, folders that fill with them, live interfaces.

A source hands out bytes, front to back, and knows nothing of packets. Its reader asks for the window of
bytes at hand, says how many of them it has used, and asks for more:

    while True:
        source.advance(engine.feed(source.window, framing))
        if not source.more():
            break

What is left in the window at the end is a record that the file cuts short. A live source has no end of its
own: on a silent wire `more` returns after a quarter of a second with an empty window, and `horizon_ns` says
how far time has gone.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from sensor.sources.capture import open_capture

__all__ = ["Source", "open_capture"]


class Source(Protocol):
    """The bytes of one capture or one wire, a window at a time. One thread reads it; any may close it."""

    @property
    def framing(self) -> Literal["capture", "ring"]:
        """What the bytes are: those of a pcap or pcapng file, or TPACKET_V3 blocks, each a window."""

    @property
    def live(self) -> bool:
        """Whether it goes on without end."""

    @property
    def begun(self) -> int:
        """Number of the capture file that the window belongs to, from 1; no window spans two."""

    @property
    def horizon_ns(self) -> int | None:
        """Unix time, ns, before which nothing can come any more; None for files."""

    @property
    def in_iface(self) -> str | None:
        """The interface that events name, None for files."""

    @property
    def link_type(self) -> int:
        """LINKTYPE_ number of the frames in a ring, 0 where the bytes say it themselves."""

    @property
    def mtu(self) -> int:
        """Largest packet that the interface of a ring sends, bytes; 0 where nobody knows."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What the kernel counted since the start: `kernel_packets`, `kernel_drops`; empty for files."""

    def notices(self) -> list[str]:
        """Return sentences for an operator that are new since the last call."""

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
        """Get further bytes behind those of the window; False when there are none and none will come."""

    def close(self) -> None:
        """Let go of the file. Windows are invalid from here on."""
