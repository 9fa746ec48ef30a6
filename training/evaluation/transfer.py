"""Captures of other origin, through the sensor's own path: what a model is worth elsewhere."""

import csv
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets.recordings import assemble

if TYPE_CHECKING:
    from sensor.features import FeatureSet

Key = tuple[str, int, tuple[str, int], tuple[str, int]]
_SLACK_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Capture:
    """One labelled capture: `group` is its class for an attack, its kind of network if benign."""

    file: str
    kind: str
    group: str
    strength: str
    whole: bool


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


def load(captures: Path, labels: Path, flow_labels: Path, feature_set: "FeatureSet", variant: str) -> Elsewhere:
    """Run every labelled capture through the flow engine and label its flows.

    A flow of a capture that is an attack as a whole is an attack; of another attack capture, if a
    row of `flow_labels` with its 5-tuple and time counts attack packets.

    Args:
        captures: folder under which the labels' file names lie.
        labels: tab-separated: file, kind, class, group, attack_bpf, label_strength.
        flow_labels: tab-separated, plain: file, 5-tuple, first_ts, last_ts, attack_packets.
        feature_set: turns flow records into features.
        variant: the formulas the model was trained on.

    Raises:
        NettrusionError: a file is missing or has no such columns.
    """
    known = tuple(listed(labels))
    truth = _truth(flow_labels)
    features, attack, file = [], [], []
    left_out: dict[str, int] = {}
    for number, capture in enumerate(known):
        flows = assemble(captures / capture.file)
        rows = feature_set.extract(flows, variant)
        marks = np.full(len(flows), capture.kind != "benign" and capture.whole)
        keep = np.ones(len(flows), dtype=bool)
        if capture.kind != "benign" and not capture.whole:
            for place, flow in enumerate(flows):
                found = _matching(truth, capture.file, flow)
                keep[place] = found is not None
                marks[place] = bool(found)
            reason = "no ground truth for the 5-tuple at that time"
            left_out[reason] = left_out.get(reason, 0) + int((~keep).sum())
        features.append(rows[keep])
        attack.append(marks[keep])
        file.append(np.full(int(keep.sum()), number))
    return Elsewhere(
        np.concatenate(features),
        np.concatenate(attack),
        np.concatenate(file),
        known,
        left_out,
    )


def listed(labels: Path) -> Iterator[Capture]:
    """Yield the captures of a labels file."""
    for row in _rows(labels, {"file", "kind", "class", "group", "attack_bpf", "label_strength"}):
        group = row["group"] if row["kind"] == "benign" else row["class"]
        yield Capture(row["file"], row["kind"], group, row["label_strength"], row["attack_bpf"] == "ANY")


def _truth(path: Path) -> dict[Key, list[tuple[int, int, int]]]:
    """Return (first ns, last ns, attack packets) of every labelled 5-tuple of every file."""
    needed = {"file", "proto", "src", "sport", "dst", "dport", "first_ts", "last_ts"}
    truth: dict[Key, list[tuple[int, int, int]]] = {}
    for row in _rows(path, needed | {"attack_packets"}):
        ends = sorted([(row["src"], int(row["sport"] or 0)), (row["dst"], int(row["dport"] or 0))])
        key = (row["file"], int(row["proto"]), ends[0], ends[1])
        truth.setdefault(key, []).append(
            (
                int(float(row["first_ts"]) * 1e9),
                int(float(row["last_ts"]) * 1e9),
                int(row["attack_packets"]),
            )
        )
    return truth


def _matching(truth: dict[Key, list[tuple[int, int, int]]], file: str, flow: np.void) -> int | None:
    """Return the attack packets that ground truth counts around a flow, None if it knows none."""
    size = 4 if flow["ip_version"] == 4 else 16
    ends = sorted(
        (str(ipaddress.ip_address(bytes(flow[side][:size]))), int(flow[f"{side}_port"])) for side in ("src", "dst")
    )
    found = [
        packets
        for first, last, packets in truth.get((file, int(flow["proto"]), ends[0], ends[1]), [])
        if first - _SLACK_NS <= flow["end_ns"] and flow["start_ns"] <= last + _SLACK_NS
    ]
    return sum(found) if found else None


def _rows(path: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab-separated file with a header, after a look at the header."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, delimiter="\t")
            if missing := needed - set(reader.fieldnames or ()):
                raise NettrusionError(f"{path}: no column {', '.join(sorted(missing))}")
            yield from reader
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
