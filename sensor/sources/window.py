"""The window of a source that gets its bytes piece by piece and hands out whole records only."""

import threading
import time
from collections.abc import Mapping
from typing import Literal

from sensor.sources.records import Records

# A silent source comes back after this long.
WAIT_S = 0.25


class Window:
    """What every source of capture bytes beside plain files has in common.

    A window holds whole records, so it is empty on silence, whatever piece of a record has arrived.
    """

    framing: Literal["capture"] = "capture"
    link_type = 0
    mtu = 0

    def __init__(self, name: str, *, live: bool, in_iface: str | None = None, lag_s: float = 0.0) -> None:
        """Begin empty.

        Args:
            name: what messages call the source.
            live: whether it goes on without end.
            in_iface: what events name as interface.
            lag_s: how long after its time stamp a packet may arrive.
        """
        self.name = name
        self.live = live
        self.in_iface = in_iface
        self.begun = 0
        self.size: int | None = None
        self.position = 0
        self.fault: str | None = None
        self._lag_ns = round(lag_s * 1e9)
        self._records = Records()
        self._data = b""
        self._used = 0
        self._whole = 0
        self._arrived_ns = 0
        self._notices: list[str] = []
        self._closed = threading.Event()

    @property
    def counters(self) -> Mapping[str, int]:
        """Nothing, where nobody says what the kernel counted."""
        return {}

    @property
    def horizon_ns(self) -> int | None:
        """The capture's own clock: time goes on from its last packet as it does here.

        None for what is not live, and before the first packet.
        """
        if not self.live or self._records.last_ns is None:
            return None
        return self._records.last_ns + time.monotonic_ns() - self._arrived_ns - self._lag_ns

    @property
    def window(self) -> memoryview:
        """The whole records at hand that have not been used."""
        return memoryview(self._data)[self._used : self._whole]

    def advance(self, used: int) -> None:
        """Take the first `used` bytes off the window."""
        self._used = min(self._used + used, self._whole)

    def notices(self) -> list[str]:
        """Return sentences that are new since the last call."""
        said, self._notices = self._notices, []
        return said

    def _begin(self) -> None:
        """Start the next capture file; what is left of the one before goes."""
        last_ns = self._records.last_ns
        self._records = Records()
        self._records.last_ns = last_ns
        self._data, self._used, self._whole = b"", 0, 0
        self.begun += 1

    def _append(self, data: bytes) -> None:
        """Put bytes behind those at hand."""
        rest, pending = self._data[self._used : self._whole], self._data[self._whole :]
        pending += data
        whole = 0 if self._records.damaged else self._records.whole(pending)
        self._data, self._used, self._whole = rest + pending, 0, len(rest) + whole
        if whole:
            self._arrived_ns = time.monotonic_ns()

    @property
    def _pending_bytes(self) -> int:
        """How many bytes of a record that is not whole yet have arrived."""
        return len(self._data) - self._whole

    def _release(self) -> None:
        """Give the memory back and end a wait."""
        self._closed.set()
