"""One event as one line: whole, at most 16 kB, and never with a byte that a reader stumbles over."""

import json
from collections.abc import Mapping
from typing import Any

MAX_LINE_BYTES = 16 * 1024

# Tried one after the other on an event that is still too long when its feature list is gone. The
# last one always suffices: an event has fewer than 40 strings of its own, and a character takes
# at most 12 bytes.
_TEXT_LIMITS = (1024, 256, 64, 24)


def encode(event: Mapping[str, Any]) -> bytes:
    """Return an event as one line of ASCII JSON that ends in a newline.

    An event longer than `MAX_LINE_BYTES` is shortened, never dropped: first features leave the
    list from its end, then a rule's own metadata goes, then texts are cut.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot say.
    """
    line = _dump(event)
    return line if len(line) <= MAX_LINE_BYTES else _shortened(event)


def _dump(event: Mapping[str, Any]) -> bytes:
    text = json.dumps(event, separators=(",", ":"), allow_nan=False)
    if "\\ud" in text:
        # Half a surrogate pair, as from a file name that is not UTF-8; strict readers refuse it.
        text = json.dumps(_mended(event), separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def _mended(value: Any) -> Any:
    """Return a value with every lone surrogate in its texts replaced by a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(inner) for inner in value]
    return value


def _shortened(event: Mapping[str, Any]) -> bytes:
    alert = dict(event.get("alert", {}))
    metadata = dict(alert.get("metadata", {}))
    features = list(metadata.pop("ml_features", ()))
    while len(features) > 1:
        features.pop()
        line = _dump(_with_metadata(event, metadata | {"ml_features": features}))
        if len(line) <= MAX_LINE_BYTES:
            return line
    own = {key: value for key, value in metadata.items() if key.startswith("ml_")}
    short: Any = _with_metadata(event, own) if alert else event
    line = _dump(short)
    for limit in _TEXT_LIMITS:
        if len(line) <= MAX_LINE_BYTES:
            break
        line = _dump(_cut(short, limit))
    return line


def _with_metadata(event: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an alert with other metadata."""
    return {**event, "alert": {**event["alert"], "metadata": metadata}}


def _cut(value: Any, limit: int) -> Any:
    """Return a value with every text in it cut to `limit` characters."""
    if isinstance(value, str):
        return value if len(value) <= limit else value[: limit - 3] + "..."
    if isinstance(value, Mapping):
        return {key: _cut(inner, limit) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(inner, limit) for inner in value]
    return value
