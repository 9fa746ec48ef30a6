"""Reading a source as the daemon does: bytes into an engine, a framing for each capture file."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.sources import Source
from sensor.sources.stream import Stream


class Reader:
    """Feeds one engine from one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.engine = FlowEngine(PROFILES["wire"])
        self.notices: list[str] = []
        self._framing: Framing | None = None
        self._begun = 0

    def step(self) -> bool:
        """Use the window up and ask for more once."""
        window = self.source.window
        if len(window):
            if self._framing is None or self.source.begun != self._begun:
                self._framing, self._begun = Framing.sniff(bytes(window[:4])), self.source.begun
            used = self.engine.feed(window, self._framing)
            assert used == len(window) or isinstance(self.source, Stream), "a window holds whole records"
            self.source.advance(used)
        goes_on = self.source.more()
        self.notices += self.source.notices()
        return goes_on

    def until(self, done: Callable[[], bool], steps: int = 200) -> None:
        """Read on until a condition holds; fails when the source is over or it takes too long."""
        for _ in range(steps):
            if done():
                return
            assert self.step(), "the source is over"
        raise AssertionError(f"not after {steps} windows: {self.engine.counters}, {self.notices}")

    def until_silent(self) -> None:
        """Read on until nothing has come for one wait."""
        self.step()
        self.until(lambda: not len(self.source.window))

    @property
    def packets(self) -> int:
        """How many packets the engine got."""
        return self.engine.counters["packets"]

    def flows(self) -> NDArray[np.void]:
        """End all flows and return them; the source is closed."""
        self.engine.finish()
        self.source.close()
        return self.engine.take()


def flows_of(source: Source) -> NDArray[np.void]:
    """Read a source that has an end and return its flows."""
    reader = Reader(source)
    while reader.step():
        pass
    return reader.flows()
