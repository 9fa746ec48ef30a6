"""One worker: reads one source, assembles its flows, hands finished ones to the writer."""

import logging
import threading
import time

import numpy as np
from numpy.typing import NDArray

from sensor.assembly import Assembly
from sensor.daemon.waiting import Waiting
from sensor.flows import FlowEngine
from sensor.scoring import Place
from sensor.sources import Source

log = logging.getLogger(__name__)

LAST_READ_S = 2.0
"""How long at most a worker that was told to stop reads what its source still has at hand."""


class Worker(threading.Thread):
    """A thread between one source and the queue of finished flows; it never scores and never writes.

    Attributes:
        assembly: its source and engine.
        place: where its flows are seen.
        watches: what its source was called at the start; that of a folder goes by the file at hand later.
        beat_s: monotonic time of its last turn; a turn takes a quarter of a second at most.
        error: what ended it, None while all is well.
        over: whether it has handed over its last flow.
    """

    def __init__(self, source: Source, engine: FlowEngine, waiting: Waiting, number: int = 0) -> None:
        """Take over a source, which is closed at the end."""
        super().__init__(name=f"worker-{source.name}-{number}", daemon=True)
        self.assembly = Assembly(source, engine)
        self.place = Place(in_iface=source.in_iface)
        self.watches = source.name
        self.beat_s = time.monotonic()
        self.error: BaseException | None = None
        self.over = False
        self.ended = False
        self._waiting = waiting
        # A file loses nothing while it is not read; a wire would, in the kernel, without a look at what.
        self._put = self._put_patiently if source.in_iface is None else waiting.put
        self._told_to_stop = threading.Event()

    def run(self) -> None:
        """Work until told to stop or until the source is over, then hand over every open flow."""
        try:
            self._work()
        except BaseException as error:
            self.error = error
        finally:
            self.over = True
            self.assembly.source.close()

    def stop(self) -> None:
        """Ask the worker to end soon: read what is at hand, then drain."""
        self._told_to_stop.set()

    def _work(self) -> None:
        engine, step = self.assembly.engine, self.assembly.step
        while not self._told_to_stop.is_set():
            more = step()
            self.beat_s = time.monotonic()
            self._say()
            if engine.pending:
                self._put(engine.take(), self.place)
            if not more:
                self.ended = True
                break
        else:
            self._read_rest()
        while engine.drain():
            self._put_patiently(engine.take(), self.place)
            self.beat_s = time.monotonic()
        self._put_patiently(engine.take(), self.place)

    def _put_patiently(self, flows: NDArray[np.void], place: Place) -> None:
        self._waiting.put_patiently(flows, place, self._beat)

    def _beat(self) -> None:
        self.beat_s = time.monotonic()

    def _read_rest(self) -> None:
        """Read what came before the stop: until the source falls silent, or its time or ours is up."""
        asked_ns, until_s = time.time_ns(), time.monotonic() + LAST_READ_S
        source, engine = self.assembly.source, self.assembly.engine
        while engine.now_ns < asked_ns and time.monotonic() < until_s:
            used_up = not len(source.window)
            if not self.assembly.step():
                break
            self._put_patiently(engine.take(), self.place)
            if used_up and not len(source.window):
                break

    def _say(self) -> None:
        for notice in self.assembly.source.notices():
            log.warning("%s", notice)
        if self.assembly.faults:
            for fault in self.assembly.faults:
                log.warning("%s", fault)
            self.assembly.faults.clear()
