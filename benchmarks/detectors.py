"""The bundled detector beside others, on the same packets: python -m benchmarks.detectors CAPTURE [MODEL...].

The flow records of a capture (the first 65,536) go through each bundle as the sensor does it: features by the
bundle's own set, then scores, in batches of 1,024, equal rows once. Bundles take turns. Printed are CPU microseconds
a flow, medians, and how many times the bundled one's the sum is: the median of the turns, the least and the most.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ratios import in_turns, ratio

if TYPE_CHECKING:
    from sensor.detector import Detector

FLOWS = 65_536
HEADER = f"{'us of CPU a flow':<44}{'features':>9}{'scores':>8}{'sum':>8}{'times the bundled':>19}"


def records(capture: Path, most: int = FLOWS) -> NDArray[np.void]:
    """Return the first flow records that a capture gives, (n,) FLOW_DTYPE, n at most `most`."""
    from sensor.flows import PROFILES, FlowEngine, Framing
    from sensor.sources import open_capture

    source, engine = open_capture(capture), FlowEngine(PROFILES["wire"])
    framing = Framing.sniff(bytes(source.window[:4096]))
    taken: list[NDArray[np.void]] = []
    while sum(map(len, taken)) < most:
        used = engine.feed(source.window, framing)
        source.advance(used)
        taken.append(engine.take())
        if not used and not source.more():
            while engine.drain():
                taken.append(engine.take())
            taken.append(engine.take())
            break
    source.close()
    return np.concatenate(taken)[:most]


def once(detector: "Detector", flows: NDArray[np.void]) -> dict[str, float]:
    """Extract and score all flows; return the CPU microseconds a flow of each, and of both."""
    from sensor.pipeline import BATCH_FLOWS

    features_s = scores_s = 0.0
    for start in range(0, len(flows), BATCH_FLOWS):
        begun_s = time.process_time()
        rows = detector.feature_set.extract(flows[start : start + BATCH_FLOWS], detector.meta.variant)
        extracted_s = time.process_time()
        detector.score(rows)
        features_s += extracted_s - begun_s
        scores_s += time.process_time() - extracted_s
    figures = {"features": features_s, "scores": scores_s, "sum": features_s + scores_s}
    return {name: seconds * 1e6 / len(flows) for name, seconds in figures.items()}


def lines(models: Sequence[Path], flows: NDArray[np.void], times: int) -> list[str]:
    """Measure bundles beside each other, the first being what the others are compared with; return the table."""
    from sensor.detector import Detector
    from sensor.features import FeatureSet

    if not len(flows):
        raise SystemExit("the capture has no flow to score")
    sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    named = {f"{number} ": Detector.load(path, sets) for number, path in enumerate(models, 1)}
    named = {f"{key}{one.meta.name}, {one.meta.feature_set}, {_short(one)}": one for key, one in named.items()}
    stages = {name: _stage(detector, flows) for name, detector in named.items()}
    in_turns(stages, 1)  # the first turn warms up
    runs = in_turns(stages, times)
    bundled = next(iter(named))
    made = [HEADER]
    for name, figures in runs.items():
        middle = {figure: float(np.median([run[figure] for run in figures])) for figure in figures[0]}
        beside = ratio(name, runs, name, bundled, "sum")
        made.append(
            f"{name[:43]:<44}{middle['features']:>9.2f}{middle['scores']:>8.2f}{middle['sum']:>8.2f}"
            f"{beside.median:>8.2f}{min(beside.turns):>6.2f} -{max(beside.turns):>5.2f}"
        )
    return [*made, f"{len(flows):,} flows, {times} turns"]


def _stage(detector: "Detector", flows: NDArray[np.void]) -> Any:
    return lambda: once(detector, flows)


def _short(detector: "Detector") -> str:
    """Return what kind of network a bundle holds, without its size."""
    return detector.meta.network.removeprefix("scikit-learn: ").removeprefix("keras: ").split(",")[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table for a capture."""
    from sensor.scoring import MODEL

    parser = argparse.ArgumentParser(prog="python -m benchmarks.detectors", description=__doc__)
    parser.add_argument("capture", type=Path)
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL", help="bundles beside the bundled one")
    parser.add_argument("--flows", type=int, default=FLOWS, help="at most so many (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="turns (%(default)s)")
    args = parser.parse_args(arguments)
    print(*lines([MODEL, *args.models], records(args.capture, args.flows), args.repeats), sep="\n")


if __name__ == "__main__":
    main()
