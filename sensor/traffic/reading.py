"""Read captures and events into batches of scored flows, and count what is left out."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.assembly import Assembly, profile
from sensor.config import Config
from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.flows import FlowEngine
from sensor.scoring import millionths, model_mark
from sensor.sources import Source, open_capture
from sensor.sources.opening import open_file
from sensor.traffic.batch import Alert, Batch
from sensor.traffic.events import Event, Unusable, read_event
from sensor.traffic.inputs import Inputs
from sensor.traffic.lines import lines
from sensor.traffic.rows import ROW, rows_of

BATCH: Final = 1024
DAMAGED: Final = "damaged"
TOLD_FAULTS: Final = 5

Progress = Callable[[Source], None]


class Traffic:
    """Reads traffic once, front to back.

    Attributes:
        counts: events and lines that gave nothing, by the reason.
        faults: for each capture and file that ends early, and for the first damaged lines, a sentence.
    """

    def __init__(self, config: Config, detector: Detector, progress: Progress | None = None) -> None:
        """Score captures as the configuration says, and take events that carry this model's scores."""
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self._detector = detector
        self._engine = FlowEngine(profile(config.flows), max_flows=config.flows.max_flows)
        self._progress = progress or (lambda source: None)
        self._segment = 0
        self._capture: str | None = None

    def read(self, inputs: Inputs, source: str = "file") -> Iterator[Batch]:
        """Yield the flows of all captures, read by a `source` (`sensor.sources.opening`), then those of all events.

        Raises NettrusionError for a capture that is none.
        """
        for name in inputs.captures:
            yield from self._of_capture(open_file(name, source))
        self._segment += 1
        for name in inputs.events:
            yield from self._of_events(open_capture(name))

    def _of_capture(self, source: Source) -> Iterator[Batch]:
        engine = self._engine
        self._segment += 1
        windows = 0
        try:
            assembly = Assembly(source, engine)
            while assembly.step():
                if engine.pending >= BATCH:
                    yield from self._scored(engine.take())
                if assembly.windows > windows:
                    windows = assembly.windows
                    self._progress(source)
            self.faults += assembly.faults
        finally:
            source.close()
        while engine.drain():
            yield from self._scored(engine.take())
        yield from self._scored(engine.take())

    def _scored(self, flows: NDArray[np.void]) -> Iterator[Batch]:
        for at in range(0, len(flows), BATCH):
            part = flows[at : at + BATCH]
            features = self._detector.feature_set.extract(part, self._detector.meta.variant)
            scores = self._detector.score(features)
            yield Batch(rows_of(part, millionths(scores.score), scores.class_index, self._segment), features)

    def _of_events(self, source: Source) -> Iterator[Batch]:
        """Yield what one file says; a line that says nothing is counted, and reading goes on."""
        meta = self._detector.meta
        mark, name = model_mark(meta.sha256), f"{meta.name} {meta.version}"
        taken: list[Event] = []
        try:
            for number, line in enumerate(lines(source), 1):
                try:
                    if line is None:
                        raise ValueError("is longer than a line may be")
                    if line.strip():
                        taken.append(read_event(line, mark, name, meta.classes))
                except Unusable as reason:
                    self.counts[str(reason)] += 1
                except ValueError as error:
                    self._damaged(source.name, number, error)
                if len(taken) >= BATCH:
                    yield self._batch(taken)
                    taken = []
                    self._progress(source)
            if source.fault is not None:
                self.faults.append(f"{source.name}: {source.fault}; what was read of it counts")
        finally:
            source.close()
        yield self._batch(taken)

    def _batch(self, taken: list[Event]) -> Batch:
        rows = []
        for event in taken:
            if event.capture != self._capture:
                self._capture = event.capture
                self._segment += 1
            ppm, class_index, *others = event.values
            rows.append((ppm, class_index, self._segment, *others[:3], *map(_bytes, others[3:5]), *others[5:]))
        alerts = tuple(Alert(event.time_ns, event.alert) for event in taken if event.alert is not None)
        return Batch(np.array(rows, ROW), None, alerts)

    def _damaged(self, name: str, number: int, error: ValueError) -> None:
        self.counts[DAMAGED] += 1
        if self.counts[DAMAGED] <= TOLD_FAULTS:
            self.faults.append(f"{name}:{number}: {error}; the line is left out")


def _bytes(address: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(address.ljust(16, b"\0"), np.uint8)


def nothing_usable(counts: Counter[str], model: str) -> NettrusionError:
    """Return why no flow at all was found, with the remedy."""
    others = ", ".join(f"{count:,} {why}" for why, count in counts.most_common() if count)
    if counts["of another model"]:
        remedy = f"they were scored by another model than {model}: score the captures again, or wait for new events"
    else:
        remedy = "write flow events (output.flow_events = true, or nettrusion score --flows) with this version"
    return NettrusionError(f"no flow with a score was found ({others or 'the files hold none'}); {remedy}")
