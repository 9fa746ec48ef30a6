"""Captures of other origin, through the sensor's own path: what a model is worth elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.datasets.labelled_captures import (
    ATTACK,
    NO_TRUTH,
    NOT_SAID,
    UNDECIDED,
    Capture,
    label,
    listed,
    read_truth,
)
from training.datasets.recordings import assemble

if TYPE_CHECKING:
    from sensor.features import FeatureSet

__all__ = ["Capture", "Elsewhere", "listed", "load"]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Flows of the labelled captures.

    Attributes:
        features: (n, k) float32.
        attack: (n,) bool, whether an attack packet is in the flow.
        file: (n,) int64, index into `captures`.
        captures: the captures, in the order of the labels file.
        left_out: flows whose label could not be decided, by reason.
        cluster: (n,) uint64, flows of one number are not independent; empty: those of one capture.
    """

    features: npt.NDArray[np.float32]
    attack: npt.NDArray[np.bool_]
    file: npt.NDArray[np.int64]
    captures: tuple[Capture, ...]
    left_out: dict[str, int]
    cluster: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    @property
    def together(self) -> npt.NDArray[np.uint64]:
        """(n,) what is redrawn as a whole when an interval is asked for."""
        return self.cluster if len(self.cluster) == len(self.file) else self.file.astype(np.uint64)

    @property
    def group(self) -> npt.NDArray[np.str_]:
        """(n,) the capture's group; benign flows of an attack capture are `benign beside attack`."""
        groups = np.array([capture.group for capture in self.captures], dtype=object)[self.file]
        attackers = np.array([capture.kind != "benign" for capture in self.captures])[self.file]
        groups[attackers & ~self.attack] = "benign beside attack"
        return groups.astype(str)


def load(captures: Path, labels: Path, flow_labels: Path | None, feature_set: "FeatureSet", variant: str) -> Elsewhere:
    """Run every labelled capture through the flow engine and label its flows.

    Args:
        captures: folder under which the labels' file names lie.
        labels: what the captures are (`labelled_captures`).
        flow_labels: which of their flows are attacks; None: the filters of the labels say it.
        feature_set: turns flow records into features.
        variant: the formulas the model was trained on.

    Raises:
        NettrusionError: a file is missing or has no such columns.
    """
    known = tuple(listed(labels))
    truth = None if flow_labels is None else read_truth(flow_labels, known)
    features, attack, file = [], [], []
    left_out = {NO_TRUTH if truth is not None else NOT_SAID: 0}
    for number, capture in enumerate(known):
        path = captures / capture.file
        flows = assemble(path)
        marks, _ = label(capture, path, flows, truth, labels)
        keep = marks != UNDECIDED
        for reason in left_out:
            left_out[reason] += int((~keep).sum())
        features.append(feature_set.extract(flows, variant)[keep])
        attack.append(marks[keep] == ATTACK)
        file.append(np.full(int(keep.sum()), number))
    return Elsewhere(np.concatenate(features), np.concatenate(attack), np.concatenate(file), known, left_out)
