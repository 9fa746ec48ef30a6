"""Rows of NSL-KDD as a network reads them: as the seed scaled them, and with heavy tails tamed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets.benchmark import Benchmark

Floats = npt.NDArray[np.float32]
_HEAVY = """duration src_bytes dst_bytes wrong_fragment urgent hot num_failed_logins num_compromised num_root
    num_file_creations num_shells num_access_files count srv_count"""
HEAVY = frozenset(_HEAVY.split())
"""Counts, bytes and seconds: what differs by a factor, not by a sum."""
FLOOR = 0.05
"""Least spread of a column, as a share of its range: one that hardly ever moves is not blown up."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was learnt from train rows about columns; `apply` gives float32 (n, width).

    Attributes:
        columns: names of the columns of numbers.
        heavy: (k,) true for those whose logarithm log(1 + x) is taken.
        middle: (k,) what is subtracted.
        spread: (k,) by what is divided, above 0.
        limit: how far from 0 a number may come out.
        words: the words of each column of text that train rows have; others become zeros.
    """

    columns: tuple[str, ...]
    heavy: npt.NDArray[np.bool_]
    middle: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    limit: float
    words: Mapping[str, tuple[str, ...]]

    def apply(self, rows: Benchmark) -> Floats:
        """Return float32 (n, width): the numbers, then a one-hot vector for each column of text."""
        parts = [np.clip((self.numbers(rows) - self.middle) / self.spread, -self.limit, self.limit)]
        for name, known in self.words.items():
            places = [rows.words[name].index(word) if word in rows.words[name] else -1 for word in known]
            parts.append(rows.column(name)[:, None] == np.array(places)[None, :])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def numbers(self, rows: Benchmark) -> npt.NDArray[np.float64]:
        """Return (n, k) the columns of numbers, logarithms of the heavy ones."""
        values = rows.values[:, [rows.names.index(name) for name in self.columns]]
        return np.where(self.heavy, np.log1p(np.maximum(values, 0.0)), values)


def min_max(train: Benchmark) -> Inputs:
    """Return the seed's scaling: every column of numbers to 0 to 1 over the train rows, constants to 0."""
    plain = _plain(train, heavy=False)
    values = plain.numbers(train)
    low, high = values.min(axis=0), values.max(axis=0)
    return _filled(plain, low, np.where(high > low, high - low, 1.0))


def tamed(train: Benchmark, limit: float = 8.0) -> Inputs:
    """Return logarithms of heavy columns, centred on the train rows' mean, in standard deviations.

    The deviation has a floor (FLOOR of the range), constants have spread 1: they say nothing in
    train, and a row where one moves is seen as far off.
    """
    plain = _plain(train, heavy=True, limit=limit)
    values = plain.numbers(train)
    spread = values.std(axis=0) + FLOOR * np.ptp(values, axis=0)
    return _filled(plain, values.mean(axis=0), np.where(spread > 0, spread, 1.0))


def _plain(train: Benchmark, *, heavy: bool, limit: float = np.inf) -> Inputs:
    columns = tuple(name for name in train.names if name not in train.words)
    words = {
        name: tuple(known[int(code)] for code in np.unique(train.column(name))) for name, known in train.words.items()
    }
    none = np.zeros(len(columns))
    return Inputs(columns, np.array([heavy and name in HEAVY for name in columns]), none, none + 1.0, limit, words)


def _filled(plain: Inputs, middle: npt.NDArray[np.float64], spread: npt.NDArray[np.float64]) -> Inputs:
    return Inputs(plain.columns, plain.heavy, middle, spread, plain.limit, plain.words)
