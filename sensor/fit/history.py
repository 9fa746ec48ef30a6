"""Traffic by the hour and by the day."""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sensor.calibrating import Counting
from sensor.calibrating.gathered import MAX_ROWS
from sensor.calibrating.period import DAY_NS, HOUR_NS
from sensor.calibration import Table
from sensor.errors import NettrusionError
from sensor.fit.seen import Seen
from sensor.fit.standard import Standard
from sensor.rulebook import Reading
from sensor.traffic import ROW, Batch

MAX_HOURS: Final = 20_000
"""More than two years; each takes some kilobytes."""

By = Literal["hour", "day"]


class History:
    """Adds traffic up by the hour in which each flow ended."""

    def __init__(self, standard: Standard) -> None:
        """Begin without traffic."""
        self._standard = standard
        self._hours: dict[int, Seen] = {}
        self._loud: list[NDArray[np.void]] = []
        self._kept = 0

    def add(self, batch: Batch) -> None:
        """Take in a batch, and the alerts in it.

        Flows out of a capture that reach the threshold are kept, to be judged by `alert`.
        Raises NettrusionError for more hours, or more such flows, than can be kept.
        """
        rows, features = batch.rows, batch.features
        if features is None and self._standard.told is not None:
            features = self._standard.told.features(rows)
        hours = rows["end_ns"] // HOUR_NS
        for hour in np.unique(hours).tolist():
            there = np.flatnonzero(hours == hour)
            self._hour(hour).add(rows[there], None if features is None else features[there], self._standard)
        for alert in batch.alerts:
            self._hour(alert.time_ns // HOUR_NS).alerts[alert.class_name] += 1
        if batch.features is not None:
            loud = rows[rows["ppm"] >= self._standard.threshold_ppm]
            self._loud.append(loud)
            self._kept += len(loud)
            if self._kept > MAX_ROWS:
                raise NettrusionError(f"more than {MAX_ROWS:,} flows reach the threshold; give fewer captures at once")

    def alert(self, reading: Reading, table: Table) -> None:
        """Count the alerts that rules make of what came out of captures; to be called once, at the end."""
        rows = np.concatenate(self._loud) if self._loud else np.empty(0, ROW)
        counting = Counting(reading, rows, self._standard.classes, table)
        for time_ns, name in counting.told(self._standard.threshold_ppm):
            self._hour(time_ns // HOUR_NS).alerts[name] += 1

    @property
    def flows(self) -> int:
        """How many flows there were."""
        return sum(seen.flows for seen in self._hours.values())

    @property
    def suited(self) -> By:
        """What to add up by, so that a person sees some lines: days, or the hours of two days."""
        return "hour" if not self._hours or max(self._hours) - min(self._hours) < 48 else "day"

    def periods(self, by: By) -> list[Seen]:
        """Return every hour or day in which anything was seen, in order; the history is used up."""
        if by == "hour":
            return [self._hours[hour] for hour in sorted(self._hours)]
        days: dict[int, Seen] = {}
        for hour in sorted(self._hours):
            day = hour * HOUR_NS // DAY_NS
            days.setdefault(day, Seen(day * DAY_NS)).join(self._hours[hour])
        return list(days.values())

    def _hour(self, hour: int) -> Seen:
        if hour not in self._hours:
            if len(self._hours) >= MAX_HOURS:
                raise NettrusionError(f"the traffic is of more than {MAX_HOURS:,} hours; give less of it at once")
            self._hours[hour] = Seen(hour * HOUR_NS)
        return self._hours[hour]
