"""Benchmark tables: published rows with columns of their own, which no sensor can compute."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets.manifest import Manifest

REFUSAL = "a benchmark of the model code, never a model for the wire"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Labelled rows of a benchmark.

    Attributes:
        values: (n, k) float64; a column of text holds positions in its list of `words`.
        names: k column names.
        words: the sorted words of every column of text, by its name; no two files count otherwise.
        label: (n,) published label, or `attack` and `normal` where only these are told.
        category: (n,) the kind of attack, `normal` for none; that of `label` where no kinds are told.
        attack: (n,) true for an attack.
        source: (n,) int64, index into `sources`.
        sources: the files' names.
        manifest: what was read, dropped and mended.
    """

    values: npt.NDArray[np.float64]
    names: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    label: npt.NDArray[np.str_]
    category: npt.NDArray[np.str_]
    attack: npt.NDArray[np.bool_]
    source: npt.NDArray[np.int64]
    sources: tuple[str, ...]
    manifest: Manifest

    def __len__(self) -> int:
        return len(self.label)

    @property
    def features(self) -> npt.NDArray[np.float32]:
        """(n, k) the values as the audit reads them."""
        return self.values.astype(np.float32)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the k columns."""
        return self.names

    @property
    def benign(self) -> npt.NDArray[np.bool_]:
        """(n,) true where the row is no attack."""
        return ~self.attack

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Return (n,) one column; raises ValueError for a name that is none."""
        return self.values[:, self.names.index(name)]

    def of(self, source: str) -> "Benchmark":
        """Return the rows of one file; raises ValueError for a file that was not read."""
        return self.rows(self.source == self.sources.index(source))

    def rows(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Benchmark":
        """Return the rows that an index or a mask selects, in its order."""
        return replace(
            self,
            values=self.values[index],
            label=self.label[index],
            category=self.category[index],
            attack=self.attack[index],
            source=self.source[index],
        )


def encode(
    columns: Mapping[str, npt.NDArray[np.str_]], texts: Collection[str], places: Sequence[Path]
) -> tuple[npt.NDArray[np.float64], dict[str, tuple[str, ...]]]:
    """Return (n, k) float64 values of columns of text and the words that those in `texts` count.

    Raises:
        NettrusionError: a cell of a column of numbers is no finite number; it names the column.
    """
    values = np.empty((len(next(iter(columns.values()))), len(columns)))
    words = {name: tuple(np.unique(columns[name]).tolist()) for name in columns if name in texts}
    for place, (name, cells) in enumerate(columns.items()):
        if name in words:
            values[:, place] = np.searchsorted(words[name], cells)
            continue
        try:
            values[:, place] = cells.astype(np.float64)
        except ValueError as problem:
            raise NettrusionError(f"{_named(places)}: column {name}: {problem}; give a whole file") from None
        if not np.isfinite(values[:, place]).all():
            raise NettrusionError(f"{_named(places)}: column {name} holds a value that is not finite")
    return values, words


def limit_to_one(
    values: npt.NDArray[np.float64], names: Sequence[str], flags: Collection[str], manifest: Manifest
) -> None:
    """Make columns that are 0 or 1 by their definition so, in place, and count the rows above 1."""
    for place, name in enumerate(names):
        if name in flags:
            beyond = values[:, place] > 1
            manifest.mend(f"{name} above 1, though it is 0 or 1 by its definition: taken for 1", int(beyond.sum()))
            values[beyond, place] = 1.0


def refuse(places: Sequence[Path], name: str, feature_set: str) -> NoReturn:
    """Raise the NettrusionError that keeps a benchmark out of a model for the wire."""
    raise NettrusionError(
        f"{_named(places)}: {name} has columns of its own and no flows to compute {feature_set} from:"
        f" it is {REFUSAL}; train on captures or on the corrected CICIDS2017 release"
    )


def _named(places: Sequence[Path]) -> str:
    return ", ".join(map(str, places))
