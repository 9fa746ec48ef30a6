"""A live source whose windows a test has written down."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal


class Wire:
    """A live source made of windows: (number of the capture file, bytes), None for silence."""

    framing: Literal["capture", "ring"] = "capture"
    live = True
    name = "wire"
    in_iface: str | None = "eth0"
    size: int | None = None
    position = 0
    fault: str | None = None
    link_type = 1
    mtu = 1500
    counters: ClassVar[Mapping[str, int]] = {}

    def __init__(self, windows: Sequence[tuple[int, bytes] | None], horizon_ns: int | None = None) -> None:
        self.begun = 1
        self.horizon_ns: int | None = None
        self._silent_ns = horizon_ns
        self._windows = list(windows)
        self._rest = b""

    @property
    def window(self) -> memoryview:
        return memoryview(self._rest)

    def advance(self, used: int) -> None:
        self._rest = self._rest[used:]

    def more(self) -> bool:
        if not self._windows:
            return False
        window = self._windows.pop(0)
        self.horizon_ns = self._silent_ns if window is None else None
        if window is not None:
            number, data = window
            self._rest = data if number != self.begun else self._rest + data
            self.begun = number
        return True

    def notices(self) -> list[str]:
        return []

    def close(self) -> None:
        return
