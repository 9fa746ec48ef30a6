"""The features that flow events tell: counts of packets, times and protocols, no payload, gaps or hosts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensor.detector import Detector
from sensor.features import FeatureSet
from sensor.traffic import flows_of

TOLD: Final = {
    "cic2022": (
        "protocol",
        "flow_duration",
        "total_fwd_packets",
        "total_bwd_packets",
        "flow_pkts_per_s",
        "fwd_pkts_per_s",
        "bwd_pkts_per_s",
        "down_up_ratio",
    ),
    "flow1": (
        "is_tcp",
        "is_udp",
        "is_icmp",
        "duration",
        "fwd_pkts",
        "bwd_pkts",
        "pkts_per_s",
        "fwd_pkts_per_s",
        "bwd_pkts_per_s",
        "bwd_pkts_share",
    ),
    "iscx2012": (
        "is_tcp",
        "is_udp",
        "is_icmp",
        "duration_s",
        "fwd_pkts",
        "bwd_pkts",
        "fwd_pkts_per_s",
        "bwd_pkts_per_s",
        "bwd_pkts_share",
    ),
}
"""By feature set, those that follow from what a ROW has; of any other set nothing is known."""


@dataclass(frozen=True, slots=True)
class Told:
    """Reads features off events."""

    feature_set: FeatureSet
    variant: str

    @classmethod
    def of(cls, detector: Detector) -> "Told":
        """Return what events tell of a model's features."""
        return cls(detector.feature_set, detector.meta.variant)

    @property
    def names(self) -> frozenset[str]:
        """The features that are told; none for a set that is not known here."""
        return frozenset(TOLD.get(self.feature_set.name, ()))

    def features(self, rows: NDArray[np.void]) -> NDArray[np.float32]:
        """Return the features of ROW[n], float32 (n, k); only the columns of `names` mean anything."""
        return self.feature_set.extract(flows_of(rows), self.variant)
