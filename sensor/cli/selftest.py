"""`nettrusion selftest`: does this installation find the attacks that it was shipped with."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sensor.errors import NettrusionError

SUMMARY = "score the bundled capture and see that it alerts"
DATA = Path(__file__).parents[1] / "data"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: there is nothing to choose."""


def run(args: argparse.Namespace) -> int:
    """Run the bundled capture through the whole pipeline with bundled model and rules."""
    from sensor.config import Config
    from sensor.pipeline import Pipeline
    from sensor.sources import open_capture

    capture = demo_capture()
    sink = _Kept()
    pipeline = Pipeline.assemble(Config(), sink)
    source = open_capture(capture)
    try:
        pipeline.run(source)
    finally:
        source.close()
    tally = pipeline.tally
    packets, flows = tally.counters["packets"], tally.counters["flows"]
    if tally.faults or not packets or not flows:
        raise NettrusionError(f"selftest failed: {capture} was not read whole; install the sensor again")
    if not tally.alerts:
        raise NettrusionError(
            f"selftest failed: {flows} flows of {capture.name} were scored and none made an alert; "
            "the model or the rules are not those of this sensor; install it again"
        )
    print(f"selftest passed: {packets} packets, {flows} flows, {tally.alerts} alerts")
    return 0


def demo_capture() -> Path:
    """Return the capture that comes with the sensor."""
    found = sorted(DATA.glob("demo.pcap*"))
    if not found:
        raise NettrusionError(f"{DATA}: the bundled capture is missing; install the sensor again")
    return found[0]


class _Kept:
    """A sink that counts what it is given and lets it go."""

    def __init__(self) -> None:
        self._lines = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self._lines += len(lines)

    def flush(self) -> None:
        return

    def reopen(self) -> None:
        return

    def close(self) -> None:
        return

    @property
    def counters(self) -> dict[str, int]:
        return {"lines": self._lines}
