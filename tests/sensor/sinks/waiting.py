"""What the tests of outputs share: lines that look like events, bounded waiting, a place made of memory."""

import shutil
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from sensor.sinks import Handover

PATIENCE_S = 20.0


def until(condition: Callable[[], object], what: str = "the condition", patience_s: float = PATIENCE_S) -> None:
    """Poll until something is so; fail the test when it does not become so in time."""
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not come within {patience_s:g} s")
        time.sleep(0.005)


def event(number: int, kind: str = "flow", **more: int) -> bytes:
    """Return an event of a recognisable number as one line."""
    rest = "".join(f',"{key}":{value}' for key, value in more.items())
    head = f'{{"timestamp":"2026-11-21T22:00:00.{number % 1_000_000:06d}+0000","flow_id":{number}'
    return f'{head},"event_type":"{kind}"{rest}}}\n'.encode()


def events(count: int, begin: int = 0) -> list[bytes]:
    """Return so many events with consecutive numbers."""
    return [event(number) for number in range(begin, begin + count)]


def program(name: str) -> str:
    """Return where a program is; skip the test where there is none."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"needs the program {name}")
    return found


class Memory:
    """A transport into a list, which can be slow, gone, full or choosy."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.events: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.reachable = True
        self.breaks_after: int | None = None
        self.takes = 1 << 30
        self.too_long = 1 << 30
        self.raises: Exception | None = None
        self.place = "memory"

    def connect(self) -> None:
        self.events.append("connect")
        if not self.reachable:
            raise ConnectionRefusedError(111, "Connection refused")

    def send(self, lines: Sequence[bytes]) -> Handover:
        if self.raises is not None:
            raised, self.raises = self.raises, None
            raise raised
        if not self.open.wait(0.01):
            return Handover(lines)
        if self.breaks_after is not None:
            count, self.breaks_after = self.breaks_after, None
            self.got += lines[:count]
            return Handover(lines[count:], trouble="broken", broken=True)
        if not self.takes:
            return Handover(lines, trouble="full")
        taken = [line for line in lines[: self.takes] if len(line) <= self.too_long]
        long = [line for line in lines[: self.takes] if len(line) > self.too_long]
        self.got += taken
        return Handover(lines[self.takes :], len(long), sum(map(len, long)))

    def reopen(self) -> None:
        self.events.append("reopen")

    def close(self) -> int:
        self.events.append("close")
        return 0
