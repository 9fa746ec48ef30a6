"""The table that everything downstream of the loader works on."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES, RULES

BENIGN = 0


@dataclass(frozen=True, slots=True)
class FlowTable:
    """Labelled flows: features beside what splits and weights need, and nothing else.

    Attributes:
        features: (n, k) float32, in the order and units of the feature set.
        label: (n,) int16, index into `labels`.
        time_ns: (n,) int64, start of the flow since 1970, UTC.
        tuple_key: (n,) uint64, the same for both directions of one 5-tuple.
        pair_key: (n,) uint64, the same for both directions of one pair of hosts.
        weight: (n,) float64, how many flows of the full data set a row stands for.
        labels: the published labels, normalised, sorted.
        feature_names: k names.
    """

    features: npt.NDArray[np.float32]
    label: npt.NDArray[np.int16]
    time_ns: npt.NDArray[np.int64]
    tuple_key: npt.NDArray[np.uint64]
    pair_key: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float64]
    labels: tuple[str, ...]
    feature_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def family(self) -> npt.NDArray[np.str_]:
        """(n,) the attack family of each row, `benign` for none."""
        return np.array([RULES[name].family for name in self.labels])[self.label]

    @property
    def target(self) -> npt.NDArray[np.int64]:
        """(n,) index into CLASSES, -1 for families that are not learnt."""
        return np.array(
            [CLASSES.index(RULES[name].class_name) if RULES[name].learnt else -1 for name in self.labels],
            dtype=np.int64,
        )[self.label]

    @property
    def benign(self) -> npt.NDArray[np.bool_]:
        """(n,) true where the flow is no attack."""
        return np.asarray(self.target == BENIGN)

    @property
    def instance(self) -> npt.NDArray[np.int64]:
        """(n,) one number per attack instance: one label on one day; benign days count alike."""
        day = self.time_ns // 86_400_000_000_000
        return self.label.astype(np.int64) * 1_000_000 + day

    def rows(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "FlowTable":
        """Return the table of the rows that an index or a mask selects, in its order."""
        return replace(
            self,
            features=self.features[index],
            label=self.label[index],
            time_ns=self.time_ns[index],
            tuple_key=self.tuple_key[index],
            pair_key=self.pair_key[index],
            weight=self.weight[index],
        )
