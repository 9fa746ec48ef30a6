"""Standards and traffic made for the tests of what judges them."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from sensor.calibrating import Levels
from sensor.calibration import AlertBudget, Calibration
from sensor.detector.graph import parse
from sensor.detector.meta import BundleMeta, read_meta
from sensor.fit import Standard, Told
from tests.sensor.detector.made import PATH, good, sample
from tests.sensor.fit.test_spread import drawn
from tests.sensor.test_calibration import MADE
from tests.sensor.traffic.made import NOON_NS, row

THRESHOLD = 0.9
HOUR_NS = 3_600_000_000_000


def meta() -> BundleMeta:
    """Return metadata of a small bundle whose calibration is that of `drawn`."""
    levels = Levels()
    levels.add(drawn(1))
    return replace(read_meta(PATH, "", parse(good()).metadata), calibration=levels.table())


def calibration(budget: str = "48/day") -> Calibration:
    """Return a calibration of the same traffic."""
    return replace(MADE, table=meta().calibration, threshold=THRESHOLD, budget=AlertBudget.parse(budget))


def standard(own: Calibration | None = None, budget: str | None = None, told: Told | None = None) -> Standard:
    """Return a standard by the operator's own calibration, or by the bundle."""
    return Standard.of(meta(), THRESHOLD, own, None if budget is None else AlertBudget.parse(budget), told)


def told(*names: str, factor: float = 1.0) -> Told:
    """Return what events would tell of the small bundle: these features, an ordinary flow's times a factor."""
    rows, labels = sample(4000)
    usual = rows[labels == 0] * np.float32(factor)

    @dataclass(frozen=True)
    class Made:
        names: frozenset[str]

        def features(self, rows: np.ndarray) -> np.ndarray:
            return np.resize(usual, (len(rows), usual.shape[1]))

    return cast(Told, Made(frozenset(names)))


def traffic(ppm: np.ndarray, hour: int = 0, **fields):
    """Return flows of these scores within one hour, ROW[n]."""
    rows = np.repeat(row(**fields), len(ppm))
    rows["ppm"] = ppm
    rows["flow_id"] = np.arange(len(ppm)) + hour * 1_000_000
    rows["end_ns"] = NOON_NS + hour * HOUR_NS + np.linspace(0, HOUR_NS - 1, len(ppm)).astype(np.int64)
    rows["start_ns"] = rows["end_ns"]
    return rows
