"""The table that everything downstream of the loader works on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from training.datasets.labels import CLASSES, RULES
from training.datasets.manifest import Manifest

BENIGN = 0
INSTANCES = 1 << 32
"""An instance is a label's number times this, plus the number of the episode."""
_DAY_NS = 86_400_000_000_000


def _none() -> npt.NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


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
        episode: (n,) int64, the attack that a row is part of, where the data tells: an act of a
            recording. Empty where it does not: then each day is an episode of its own.
        source: (n,) int64, index into `sources`; empty for a table of one source.
        sources: what the rows come from: recordings by their names, a release by its own.
    """

    features: npt.NDArray[np.float32]
    label: npt.NDArray[np.int16]
    time_ns: npt.NDArray[np.int64]
    tuple_key: npt.NDArray[np.uint64]
    pair_key: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float64]
    labels: tuple[str, ...]
    feature_names: tuple[str, ...]
    episode: npt.NDArray[np.int64] = field(default_factory=_none)
    source: npt.NDArray[np.int64] = field(default_factory=_none)
    sources: tuple[str, ...] = ("",)

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
        """(n,) one number per attack instance: one label in one episode; benign ones count alike."""
        return self.label.astype(np.int64) * INSTANCES + self.episodes

    @property
    def episodes(self) -> npt.NDArray[np.int64]:
        """(n,) the episode of each row: what the data says, else its day since 1970."""
        return self.episode if len(self.episode) == len(self) else self.time_ns // _DAY_NS

    @property
    def origin(self) -> npt.NDArray[np.str_]:
        """(n,) the name of the source of each row."""
        number = self.source if len(self.source) == len(self) else np.zeros(len(self), dtype=np.int64)
        return np.array(self.sources)[number]

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
            episode=self.episode[index] if len(self.episode) == len(self) else self.episode,
            source=self.source[index] if len(self.source) == len(self) else self.source,
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table and the manifest of what it was made from."""

    table: FlowTable
    manifest: Manifest


def join(tables: Sequence[FlowTable]) -> FlowTable:
    """Return the rows of several tables of the same features as one, oldest first.

    Episodes of different tables stay different, whatever their numbers; so do sources.

    Raises:
        ValueError: there is no table, or their features differ.
    """
    if len({table.feature_names for table in tables}) != 1:
        raise ValueError("tables of different features, or none, cannot be joined")
    labels = tuple(sorted({name for table in tables for name in table.labels}))
    sources = tuple(sorted({name for table in tables for name in table.sources}))
    episodes, met = [], 0
    for table in tables:
        _, number = np.unique(table.episodes, return_inverse=True)
        episodes.append(number.astype(np.int64) + met)
        met += int(number.max(initial=-1)) + 1
    whole = FlowTable(
        features=np.concatenate([table.features for table in tables]),
        label=np.concatenate([_renumbered(t.labels, labels)[t.label] for t in tables]).astype(np.int16),
        time_ns=np.concatenate([table.time_ns for table in tables]),
        tuple_key=np.concatenate([table.tuple_key for table in tables]),
        pair_key=np.concatenate([table.pair_key for table in tables]),
        weight=np.concatenate([table.weight for table in tables]),
        labels=labels,
        feature_names=tables[0].feature_names,
        episode=np.concatenate(episodes),
        source=np.concatenate([np.searchsorted(np.array(sources), table.origin) for table in tables]),
        sources=sources,
    )
    return whole.rows(np.argsort(whole.time_ns, kind="stable"))


def _renumbered(own: tuple[str, ...], shared: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return np.array([shared.index(name) for name in own], dtype=np.int64)
