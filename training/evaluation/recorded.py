"""Recordings as something to judge a detector on: each label, or each activity, a group of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.datasets.recordings import Recording
from training.evaluation.transfer import Capture, Elsewhere

if TYPE_CHECKING:
    from sensor.features import FeatureSet

HOUR_NS = 3_600_000_000_000
By = Literal["label", "activity"]


def gather(recordings: Iterable[Recording], feature_set: "FeatureSet", variant: str) -> tuple[Elsewhere, Elsewhere]:
    """Return the flows of recordings, grouped by label and grouped by activity within it.

    What a host does within an hour belongs together: an interval redraws it as a whole.
    """
    given = list(recordings)
    features = [feature_set.extract(one.flows, variant) for one in given]
    plain = _grouped(given, "label", np.concatenate(features))
    return plain, _grouped(given, "activity", plain.features)


def hours(recordings: Sequence[Recording]) -> npt.NDArray[np.uint64]:
    """Return (n,) uint64, one number for the flows of one host in one hour of one recording.

    Where the labels do not name a host, the flows of one program belong together.
    """
    names: list[str] = []
    for one in recordings:
        hour = one.flows["start_ns"] // HOUR_NS
        columns = zip(hour.tolist(), one.column("host").tolist(), one.column("run").tolist(), strict=True)
        names += [f"{one.name} {hour} {host}" if host else f"{one.name} {run}" for hour, host, run in columns]
    _, number = np.unique(np.array(names), return_inverse=True)
    return np.asarray(number, dtype=np.uint64)


def _grouped(recordings: Sequence[Recording], by: By, features: npt.NDArray[np.float32]) -> Elsewhere:
    names: list[tuple[str, str, str]] = []
    for one in recordings:
        activities = one.column("activity").tolist() if by == "activity" else [""] * len(one.flows)
        names += zip([one.name] * len(one.flows), one.column("label").tolist(), activities, strict=True)
    met = {name: place for place, name in enumerate(sorted(set(names)))}
    captures = tuple(_capture(*name) for name in met)
    file = np.array([met[name] for name in names], dtype=np.int64)
    left_out: dict[str, int] = {}
    for one in recordings:
        for reason, flows in one.dropped.items():
            left_out[reason] = left_out.get(reason, 0) + flows
    attack = np.array([capture.kind != CLASSES[0] for capture in captures], dtype=bool)[file]
    found = Elsewhere(features, attack, file, captures, left_out)
    return replace(found, cluster=hours(recordings))


def _capture(recording: str, label: str, activity: str) -> Capture:
    kind = CLASSES[0] if label == CLASSES[0] else "attack"
    return Capture(recording, kind, f"{label}: {activity}" if activity else label, "strong", True)
