"""Rows and events made by hand for the tests of what reads and judges traffic."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.eve import EventBuilder
from sensor.rulebook import ScoredFlows
from sensor.traffic import rows_of
from tests.sensor.eve.made import CLASSES, NOON_NS, flow, scored, verdict

MARK = 7
MODEL = "known 1"


def row(ppm: int = 975_000, class_index: int = 1, segment: int = 1, **fields: Any) -> NDArray[np.void]:
    """Return one row, ROW[1]; fields as in `tests.sensor.eve.made.flow`."""
    return rows_of(flow(**fields), np.array([ppm]), np.array([class_index]), segment)


def batch_of(ppm: int = 975_000, class_index: int = 1, mark: int = MARK, **fields: Any) -> ScoredFlows:
    """Return one scored flow as events are made of it."""
    return scored(
        flow(**fields),
        round(ppm / 1000),
        class_index=class_index,
        score_ppm=np.array([ppm]),
        model=mark,
        class_names=CLASSES,
    )


def line(ppm: int = 975_000, class_index: int = 1, mark: int = MARK, name: str | None = None, **fields: Any) -> bytes:
    """Return the line of one flow event, without its newline."""
    builder = EventBuilder(model=MODEL, pcap_filename=name)
    return builder.flow_lines(batch_of(ppm, class_index, mark, **fields))[0].rstrip(b"\n")


def alert(ppm: int = 975_000, **fields: Any) -> bytes:
    """Return the line of one alert."""
    from sensor.eve.alert import Judgement

    judged = batch_of(ppm, **fields)
    (event,) = EventBuilder(model=MODEL).alerts(judged, [Judgement(verdict(), ppm / 1e6)])
    return json.dumps(event).encode()


__all__ = ["CLASSES", "MARK", "MODEL", "NOON_NS", "alert", "batch_of", "line", "row"]
