"""A feature set: the frozen file, its hash, and the matrix that follows from it."""

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensor.errors import NettrusionError
from sensor.features import cic, flow1, iscx, release

FOLDER = Path(__file__).parent
LARGEST = np.finfo(np.float32).max

BLOCK_ROWS = 4096  # flows worked on at once: few enough to stay in a processor's cache
LINE = 16  # numbers of float32 in a cache line

Columns = Mapping[str, NDArray[Any]]
# By the file's word `formulas`: from flow records and from published columns, by feature name.
FORMULAS: dict[str, Callable[[NDArray[np.void], str], Columns]] = {
    "cic": cic.columns,
    "flow1": flow1.columns,
    "iscx": iscx.columns,
}
READERS: dict[str, Callable[..., Columns]] = {
    "cic": release.read,
    "flow1": flow1.read,
    "iscx": iscx.read,
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One number that a model is given about a flow.

    `undefined` stands for a value that does not exist (see `FeatureSet.defined`); `lowest` is the
    smallest value that means something, None where every number does; `columns` gives the header
    of the feature in each published release that has it.
    """

    index: int
    name: str
    unit: str
    formula: str
    undefined: float
    columns: Mapping[str, str]
    lowest: float | None = None


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A named, versioned, frozen list of features; `sha256` is over the file's canonical JSON.

    `variants` are the sets of published formulas that it can be computed by, the default first.
    """

    name: str
    version: str
    sha256: str
    features: tuple[Feature, ...]
    formulas: str = "cic"
    variants: tuple[str, ...] = ("cns22", "fork", "legacy")
    _undefined: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _lowest: NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay the two numbers of every feature out as columns, for `defined`."""
        undefined = [[feature.undefined] for feature in self.features]
        lowest = [[-LARGEST if f.lowest is None else f.lowest] for f in self.features]
        object.__setattr__(self, "_undefined", np.array(undefined, np.float32))
        object.__setattr__(self, "_lowest", np.array(lowest, np.float32))

    @classmethod
    def available(cls) -> tuple[str, ...]:
        """Return the names of the sets that this sensor has."""
        return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))

    @classmethod
    def load(cls, name: str) -> Self:
        """Read the set of that name; raises NettrusionError when there is none."""
        if name not in cls.available():
            known = ", ".join(cls.available())
            raise NettrusionError(f"there is no feature set {name!r}; there are {known}")
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return cls(
            name=document["name"],
            version=document["version"],
            sha256=canonical_sha256(document),
            features=tuple(Feature(**feature) for feature in document["features"]),
            formulas=document["formulas"],
            variants=tuple(document["variants"]),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the features' names in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    def extract(self, flows: NDArray[np.void], variant: str | None = None) -> NDArray[np.float32]:
        """Return the features of `flows` (FLOW_DTYPE, (n,)) as float32 (n, k), C-contiguous.

        `variant` names the formulas, the set's first when None. Every value is finite; a row
        depends on its own flow alone. No flows give (0, k). Raises NettrusionError when the set
        does not know the variant.
        """
        formulas, variant = FORMULAS[self.formulas], self.variant(variant)
        if len(flows) <= BLOCK_ROWS:
            return self.defined(formulas(flows, variant))
        matrix = np.empty((len(flows), len(self.features)), np.float32)
        for at in range(0, len(flows), BLOCK_ROWS):
            matrix[at : at + BLOCK_ROWS] = self.defined(formulas(flows[at : at + BLOCK_ROWS], variant))
        return matrix

    def from_columns(self, columns: Mapping[str, ArrayLike], variant: str | None = None) -> NDArray[np.float32]:
        """Return the features of a published file's rows as float32 (n, k), C-contiguous.

        `columns` maps the file's headers (blanks around them do not matter, others are ignored)
        to arrays of shape (n,), of numbers or of their text. The same as `extract` gives for the
        same flows: NaN, Infinity and placeholders such as -1 become the defined numbers. Raises
        NettrusionError that names a column which the variant's release has and `columns` lacks.
        """
        variant = self.variant(variant)
        stripped = {str(name).strip(): values for name, values in columns.items()}
        return self.defined(READERS[self.formulas](stripped, variant, self.features))

    def defined(self, values: Columns) -> NDArray[np.float32]:
        """Return the columns as the finite float32 matrix (n, k): the one rule of the set.

        What is NaN, infinite, beyond float32 or below the feature's `lowest`, and a feature that
        is not in `values`, becomes the feature's `undefined`.
        """
        rows = len(next(iter(values.values()))) if values else 0
        # An odd number of cache lines from one feature to the next: a power of two of them, which batches tend to
        # have, would make the features of a flow push each other out of the cache when the table is turned.
        lines = (rows + LINE - 1) // LINE | 1
        table = np.empty((len(self.features), lines * LINE), np.float32)[:, :rows]
        with np.errstate(all="ignore"):
            for feature in self.features:
                table[feature.index] = values.get(feature.name, np.nan)
        # A comparison with NaN is false, so that one pair of comparisons finds all of them.
        defined = (table >= self._lowest) & (table <= LARGEST)
        np.copyto(table, self._undefined, where=~defined)
        return np.ascontiguousarray(table.T)

    def variant(self, name: str | None = None) -> str:
        """Return the variant of that name, the set's first for None.

        Raises NettrusionError when the set does not have it.
        """
        if name is None:
            return self.variants[0]
        if name not in self.variants:
            close = difflib.get_close_matches(name, self.variants, 1) or self.variants
            raise NettrusionError(f"feature set {self.name} has no variant {name!r}; say {' or '.join(close)}")
        return name


def canonical_sha256(document: Any) -> str:
    """Return the SHA-256 of a document as JSON with sorted keys and no blanks, in hex."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
