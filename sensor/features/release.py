"""Reading the columns of a published CICFlowMeter file: which header is which feature."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensor.errors import NettrusionError

Float = NDArray[np.float64]

# The releases whose files follow a variant's formulas, the usual one first.
RELEASES: Mapping[str, tuple[str, ...]] = {
    "cns22": ("cns22",),
    "fork": ("fork",),
    "legacy": ("cse2018", "cicids2017"),
}
# Least and largest transport header of a packet by protocol; the range of a signed 16-bit number.
HEADER_BYTES = {6: (20.0, 60.0), 17: (8.0, 8.0)}
LARGEST_SHORT = 32767.0
WRAP = 65536.0


class Named(Protocol):
    """A feature, as far as reading needs it."""

    @property
    def name(self) -> str:
        """The feature's name."""

    @property
    def columns(self) -> Mapping[str, str]:
        """The feature's header by release."""


def read(columns: Mapping[str, ArrayLike], variant: str, features: Sequence[Named]) -> dict[str, Float]:
    """Return the features that the variant's release has, by name, as float64 (n,), NaN and all.

    `columns` maps headers without blanks around them to arrays of shape (n,). Where a variant has
    two releases with other headers, the file is taken for the one that it has more headers of.
    Raises NettrusionError that names a missing column or one that holds something else than numbers.
    """
    by_release = {
        release: {f.name: f.columns[release].strip() for f in features if release in f.columns}
        for release in RELEASES[variant]
    }
    headers = max(by_release.values(), key=lambda one: sum(h in columns for h in one.values()))
    out = numbers(columns, headers, variant)
    if variant == "cns22":
        for side in ("fwd", "bwd"):
            name = f"{side}_header_len"
            out[name] = _unwrapped(out[name], out[f"total_{side}_packets"], out["protocol"])
    return out


def numbers(columns: Mapping[str, ArrayLike], headers: Mapping[str, str], variant: str) -> dict[str, Float]:
    """Return columns by the names that `headers` gives them, as float64 (n,).

    Raises NettrusionError that names a missing column, or one that holds something else than numbers; `variant` is
    what the file was taken for.
    """
    missing = [header for header in headers.values() if header not in columns]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NettrusionError(f"the file has no column {missing[0]!r}{more}; a file of variant {variant} has")
    return {name: _numbers(columns[header], header) for name, header in headers.items()}


def _numbers(values: ArrayLike, header: str) -> Float:
    try:
        return np.asarray(values).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise NettrusionError(f"column {header!r} holds something that is no number: {error}") from None


def _unwrapped(header_bytes: Float, pkts: Float, protocol: Float) -> Float:
    """Undo the 16-bit wrap of the corrected release's header sums.

    Only flows of hundreds of packets can have wrapped. Every packet has at least its protocol's
    smallest header: the least number that is the same modulo 65536 and reaches that many bytes is
    taken, which is true unless options add 65536 bytes or more.
    """
    least, largest = np.zeros_like(pkts), np.zeros_like(pkts)
    for number, (low, high) in HEADER_BYTES.items():
        least[protocol == number] = low
        largest[protocol == number] = high
    short = least * pkts - header_bytes
    wrapped = (short > 0) & (largest * pkts > LARGEST_SHORT)
    return header_bytes + WRAP * np.ceil(np.where(wrapped, short, 0.0) / WRAP)
