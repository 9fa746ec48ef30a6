"""Benign flows of one origin, with what belongs together and how much each counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES
from training.datasets.recordings import Recording, assemble
from training.evaluation.recorded import hours
from training.evaluation.transfer import listed

if TYPE_CHECKING:
    from sensor.features import FeatureSet

FILE_FLOWS = 100.0
"""A capture of more flows than this counts as much as one of so many."""

SERVICES: Mapping[str, frozenset[int]] = {
    "names": frozenset({53}),
    "web": frozenset({80, 443, 8000, 8080, 8443}),
    "neighbourhood": frozenset({137, 138, 1900, 3702, 5353, 5355}),
    "shell": frozenset({22}),
    "mail": frozenset({25, 110, 143, 465, 587, 993, 995}),
    "time": frozenset({123}),
    "addresses": frozenset({67, 68, 546, 547}),
    "files": frozenset({20, 21, 139, 445, 873, 2049, 9418}),
    "voice": frozenset({3478, 5060, 5061}),
    "monitoring": frozenset({161, 162, 514, 1883}),
    "database": frozenset({1433, 3306, 5432, 6379, 27017}),
}
"""Services by the port of either end: to compare like with like here, never to learn from."""
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}


@dataclass(frozen=True, slots=True)
class Sample:
    """Benign flows.

    Attributes:
        flows: (n,) FLOW_DTYPE.
        features: (n, k) float32.
        group: (n,) the kind of network, or the activity.
        cluster: (n,) int64, one number for flows that are not independent: those of a capture, or
            of one host's hour.
        weight: (n,) float64, how much each flow counts.
    """

    flows: npt.NDArray[np.void]
    features: npt.NDArray[np.float32]
    group: npt.NDArray[np.str_]
    cluster: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.flows)

    @property
    def service(self) -> npt.NDArray[np.str_]:
        """(n,) the service of each flow by its ports; `icmp` and `other` where none is known."""
        found = np.full(len(self), "other", dtype="<U16")
        for name, ports in SERVICES.items():
            known = np.isin(self.flows["dst_port"], list(ports)) | np.isin(self.flows["src_port"], list(ports))
            found[known & (found == "other")] = name
        found[np.isin(self.flows["proto"], (1, 58))] = "icmp"
        return found

    @property
    def protocol(self) -> npt.NDArray[np.str_]:
        """(n,) the transport protocol of each flow."""
        return np.array([PROTOCOLS.get(number, "other") for number in self.flows["proto"].tolist()], dtype="<U16")

    def rows(self, index: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Sample":
        """Return the flows that a mask or an index selects."""
        return replace(
            self,
            flows=self.flows[index],
            features=self.features[index],
            group=self.group[index],
            cluster=self.cluster[index],
            weight=self.weight[index],
        )


def of_recordings(recordings: Iterable[Recording], feature_set: "FeatureSet", variant: str) -> Sample:
    """Return the benign flows of recordings; every flow counts alike, a host's hour belongs together."""
    given = list(recordings)
    flows = np.concatenate([one.flows for one in given])
    benign = np.concatenate([one.column("label") for one in given]) == CLASSES[0]
    return Sample(
        flows=flows[benign],
        features=feature_set.extract(flows[benign], variant),
        group=np.concatenate([one.column("activity") for one in given]).astype(str)[benign],
        cluster=hours(given)[benign].astype(np.int64),
        weight=np.ones(int(benign.sum())),
    )


def of_captures(
    folder: Path, labels: Path, feature_set: "FeatureSet", variant: str, groups: Sequence[str] = ()
) -> Sample:
    """Return the flows of labelled benign captures, those of some groups if any is named.

    A large capture counts like one of FILE_FLOWS flows. Raises NettrusionError for a missing file.
    """
    chosen = [one for one in listed(labels) if one.kind == CLASSES[0] and (not groups or one.group in groups)]
    parts = [assemble(folder / one.file) for one in chosen]
    sizes = [len(part) for part in parts]
    flows = np.concatenate(parts)
    return Sample(
        flows=flows,
        features=feature_set.extract(flows, variant),
        group=np.repeat(np.array([one.group for one in chosen]), sizes),
        cluster=np.repeat(np.arange(len(chosen)), sizes),
        weight=np.repeat(np.array([min(1.0, FILE_FLOWS / max(size, 1)) for size in sizes]), sizes),
    )
