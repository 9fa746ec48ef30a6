"""How well a model's reasons hold against experiment, and their cost: python -m benchmarks.explanations MODEL DATA...

DATA are folders or files of labelled flows, of any kind that `nettrusion train` reads. Of each class's alerts at most
200 are taken; of each, one feature after the other is set to its benign median and the flow scored again. Printed are
Spearman's rank correlation between what that costs and the contributions (the median alert), the share of alerts whose
costliest feature is among the three reasons that an alert names, and microseconds a flow for scoring and explaining.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


def main() -> None:
    """Print a line for each class that has alerts, one for all, and the costs."""
    from exporter.occlusion import agreement
    from sensor.detector import Detector
    from sensor.features import FeatureSet
    from training.datasets import folders

    parser = argparse.ArgumentParser(prog="python -m benchmarks.explanations", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=5_000, help="at most so many of a label (%(default)s)")
    args = parser.parse_args()
    detector = Detector.load(args.model, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    meta = detector.meta
    table = folders.load(args.data, detector.feature_set, meta.variant, args.rows).table
    score, data = detector.score(table.features).score, args.model.read_bytes()
    medians = np.array(meta.medians, np.float32)
    print(f"{meta.name} {meta.version}: {meta.network}, contributions: {meta.contributions}")
    print(f"{'class':16}  flows  alerts  taken  rank correlation  costliest among three")
    for name in ("all", *sorted(set(table.family.tolist()))):
        of = np.ones(len(table), bool) if name == "all" else table.family == name
        alerts = of & (score >= meta.threshold)
        if alerts.any():
            found = agreement(data, table.features[alerts], medians, meta.threshold)
            figures = f"{found.alerts:5}  {_shown(found.rank_correlation):>16}  {_shown(found.top_share):>21}"
            print(f"{name:16}  {of.sum():5}  {alerts.sum():6}  {figures}", flush=True)
    batch = np.resize(table.features, (1024, table.features.shape[1]))
    print(f"scoring {_us(detector.score, batch):.2f} us a flow, explaining {_us(detector.contributions, batch):.1f} us")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _us(work: Callable[[Rows], Any], batch: Rows, seconds: float = 2.0) -> float:
    """Return the least microseconds a row that a call took, of all within some seconds."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work(batch)
        times.append(time.perf_counter() - start)
    return min(times) / len(batch) * 1e6


if __name__ == "__main__":
    main()
