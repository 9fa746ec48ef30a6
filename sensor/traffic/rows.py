"""A scored flow in a tenth of a flow record's size: all that rules and incidents ask of one."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.flows import FLOW_DTYPE, Reason

_SAME: Final = (
    "start_ns", "end_ns", "flow_id", "src", "dst", "part", "src_port", "dst_port", "proto", "ip_version", "reason",
    "state",
)  # fmt: skip
_BY_DIRECTION: Final = ("pkts", "bytes")

ROW: Final = np.dtype(
    [
        ("ppm", "<u4"),
        ("class", "<u2"),
        ("segment", "<u4"),
        *((name, FLOW_DTYPE.fields[name][0]) for name in _SAME),  # type: ignore[index]
        *((f"{side}_{what}", "<u8") for side in ("fwd", "bwd") for what in _BY_DIRECTION),
    ]
)
"""A flow record (fields as in FLOW_DTYPE) and its score.

`ppm` is the score in millionths, `class` the likeliest attack class, an index into the model's. `segment` counts
what has nothing to do with each other: incidents end with it, as at the end of a capture.
"""


def rows_of(
    flows: NDArray[np.void], ppm: NDArray[np.int64], class_index: NDArray[np.int64], segment: int
) -> NDArray[np.void]:
    """Return flow records, FLOW_DTYPE[n], with their scores as ROW[n]."""
    rows: NDArray[np.void] = np.empty(len(flows), ROW)
    rows["ppm"], rows["class"], rows["segment"] = ppm, class_index, segment
    for name in _SAME:
        rows[name] = flows[name]
    for side in ("fwd", "bwd"):
        for what in _BY_DIRECTION:
            rows[f"{side}_{what}"] = flows[side][what]
    return rows


def flows_of(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return ROW[n] as flow records, FLOW_DTYPE[n], everything that a row does not have being zero."""
    flows: NDArray[np.void] = np.zeros(len(rows), FLOW_DTYPE)
    for name in _SAME:
        flows[name] = rows[name]
    for side in ("fwd", "bwd"):
        for what in _BY_DIRECTION:
            flows[side][what] = rows[f"{side}_{what}"]
    return flows


def linked(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return rows, copied, in which the records of one flow say that they are.

    Events name the flow, not which record of it they are of. Of rows that are out of a capture nothing changes.
    """
    out = rows.copy()
    if not len(rows):
        return out
    order = np.lexsort((np.arange(len(rows)), rows["flow_id"], rows["segment"]))
    ids, segments = rows["flow_id"][order], rows["segment"][order]
    again = np.append(False, (ids[1:] == ids[:-1]) & (segments[1:] == segments[:-1]))
    place = np.arange(len(rows))
    first = np.maximum.accumulate(np.where(again, 0, place))
    out["part"][order] = np.maximum(rows["part"][order], place - first)
    goes_on = np.append(again[1:], False)
    reasons = rows["reason"][order]
    out["reason"][order] = np.where(goes_on & (reasons != Reason.SNAPSHOT), Reason.ACTIVE, reasons)
    return out


def ended(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which of ROW[n] are flows; the others were seen while they went on, and come once more."""
    over: NDArray[np.bool_] = rows["reason"] != Reason.SNAPSHOT
    return over
