"""A bundle's metadata: what it is called, what it was made from, where its threshold lies."""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

_T = TypeVar("_T")

PREFIX: Final = "nettrusion."
FORMAT: Final = "1"
KINDS: Final = ("classifier", "autoencoder", "ensemble")
CONTRIBUTIONS: Final = ("gradient", "linear", "mixed", "paths", "reconstruction")

MAX_ENTRY: Final = 1 << 18
"""Characters of one entry: JSON takes thirty times as much memory while it is read."""

MAX_EDGES: Final = 99
"""Values of one feature between which a bundle may divide its training rows."""

# Names end up in events, file names and on terminals: no control characters, no surprises.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_CLASS: Final = re.compile(r"[a-z0-9_]{1,32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Edge(NamedTuple):
    """A value of a feature, the share of benign training rows below it, and at or below it."""

    value: float
    below: float
    within: float


@dataclass(frozen=True, slots=True)
class Budget:
    """The alert budget a threshold was set for.

    `false_positive_rate` is the share of benign flows above the threshold, `flows` the number of
    benign flows it was measured on; `certified` says whether those were enough to know it
    (3 / false_positive_rate, the rule of three).
    """

    false_positive_rate: float
    flows: int
    certified: bool


@dataclass(frozen=True, slots=True)
class BundleMeta:
    """What a bundle says of itself, and the hash of the very bytes it was read from.

    `calibration` is a table of (score, share of benign flows that score as high or higher), highest
    score first; `medians` are the features' benign medians in training, in their own units.
    `quantiles`, empty in a bundle without them, has for each feature where the benign training rows
    lie, by rising value; nothing for a feature that the model does not read.
    """

    path: Path
    sha256: str
    name: str
    version: str
    kind: str
    network: str
    contributions: str
    feature_set: str
    feature_set_version: str
    feature_set_sha256: str
    variant: str
    classes: tuple[str, ...]
    threshold: float
    budget: Budget
    calibration: tuple[tuple[float, float], ...]
    medians: tuple[float, ...]
    training: Mapping[str, Any]
    card: str
    quantiles: tuple[tuple[Edge, ...], ...] = ()


def read_meta(path: Path, sha256: str, properties: Mapping[str, str]) -> BundleMeta:
    """Return the metadata of a bundle; raises ValueError that names the key that is wrong."""
    entry = _Entries(properties)
    if (written := entry.text("format", lambda text: len(text) < 8)) != FORMAT:
        raise ValueError(f"its bundle format is {written}, this sensor reads {FORMAT}")
    medians = entry.json("medians", lambda values: tuple(_finite(value) for value in values))
    return BundleMeta(
        path=path,
        sha256=sha256,
        name=entry.text("name", _NAME.fullmatch),
        version=entry.text("version", _NAME.fullmatch),
        kind=entry.text("kind", KINDS.__contains__),
        network=entry.text("network", lambda text: len(text) <= 200 and text.isprintable()),
        contributions=entry.text("contributions", CONTRIBUTIONS.__contains__),
        feature_set=entry.text("feature_set", _NAME.fullmatch),
        feature_set_version=entry.text("feature_set_version", _NAME.fullmatch),
        feature_set_sha256=entry.text("feature_set_sha256", _SHA256.fullmatch),
        variant=entry.text("variant", _NAME.fullmatch),
        classes=entry.json("classes", _classes),
        threshold=entry.json("threshold", _share),
        budget=entry.json("budget", _budget),
        calibration=entry.json("calibration", _calibration),
        medians=medians,
        training=entry.json("training", _object),
        card=entry.text("card", lambda text: len(text) <= 20_000),
        quantiles=entry.json("quantiles", lambda rows: _quantiles(rows, len(medians)), absent=()),
    )


class _Entries:
    """Reads single metadata entries and names the key in every complaint."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._properties = properties

    def text(self, key: str, fits: Callable[[str], Any]) -> str:
        value = self._properties.get(PREFIX + key)
        if value is None:
            raise ValueError(f"its metadata lack {PREFIX}{key}")
        if len(value) > MAX_ENTRY or not fits(value):
            raise ValueError(f"its metadata {PREFIX}{key} has the value {value[:80]!r}")
        return value

    def json(self, key: str, convert: Callable[[Any], _T], *, absent: _T | None = None) -> _T:
        """Return a converted JSON value; an entry that is not there is an error unless `absent` stands for it."""
        if absent is not None and PREFIX + key not in self._properties:
            return absent
        text = self.text(key, lambda text: True)
        try:
            return convert(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
            raise ValueError(f"its metadata {PREFIX}{key} has the value {text[:80]!r}") from None


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _share(value: Any) -> float:
    if not 0 <= _finite(value) <= 1:
        raise ValueError
    return float(value)


def _classes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(_CLASS.fullmatch(name) for name in value):
        raise ValueError
    if value[:1] != ["benign"] or len(value) < 2 or len(set(value)) != len(value):
        raise ValueError
    return tuple(value)


def _budget(value: Any) -> Budget:
    if not isinstance(value["certified"], bool) or not isinstance(value["flows"], int):
        raise ValueError
    return Budget(_share(value["false_positive_rate"]), max(value["flows"], 0), value["certified"])


def _calibration(value: Any) -> tuple[tuple[float, float], ...]:
    table = tuple((_share(score), _share(share)) for score, share in value)
    if not table or list(table) != sorted(set(table), key=lambda entry: (-entry[0], entry[1])):
        raise ValueError
    if any(above[1] > below[1] for above, below in pairwise(table)):
        raise ValueError
    return table


def _quantiles(value: Any, features: int) -> tuple[tuple[Edge, ...], ...]:
    """Return counts of rows as shares, having checked that they can be a distribution."""
    flows = _finite(value["flows"])
    rows = tuple(
        tuple(Edge(_single(at), _finite(below) / flows, _finite(within) / flows) for at, below, within in row)
        for row in value["features"]
    )
    if flows < 1 or len(rows) != features or max(map(len, rows)) > MAX_EDGES:
        raise ValueError
    if any(not 0 <= edge.below < edge.within <= 1 for row in rows for edge in row):
        raise ValueError
    if any(low.value >= high.value or low.within > high.below for row in rows for low, high in pairwise(row)):
        raise ValueError
    return rows


def _single(value: Any) -> float:
    """Return a number as the float32 that features are."""
    return float(struct.unpack("<f", struct.pack("<f", _finite(value)))[0])


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value
