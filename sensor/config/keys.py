"""Every key of the configuration by its dotted name, with its type and its limits."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from sensor.config.schema import Config

Kind = tuple[Any, Mapping[str, Any]]
"""A key's type and its limits."""


@cache
def known_keys() -> Mapping[str, Kind]:
    """Return every key by its dotted name with its type and its limits, in the file's order.

    An open table (the rules' variables, the outputs) is one key.
    """
    return dict(_walk(Config, ""))


def section_keys(cls: type) -> Mapping[str, Kind]:
    """Return the keys of one section's class, as `known_keys` does."""
    return dict(_walk(cls, ""))


def look_up(key: str) -> Kind | None:
    """Return a key's type and limits, None for one that there is not.

    Inside an open table each name has the type of the table's values; where these are tables
    themselves (`sinks.NAME`), their keys follow.
    """
    keys = known_keys()
    if key in keys:
        return keys[key]
    table, value = open_table(key)
    if value is None:
        return None
    name, dot, rest = key.removeprefix(f"{table}.").partition(".")
    if not dot:
        return (value, {}) if name else None
    return section_keys(value).get(rest) if isinstance(value, type) and is_dataclass(value) else None


def open_table(key: str) -> tuple[str, Any]:
    """Return the name of the open table that a key lies in and the type of its values, else None for it."""
    for table, (kind, _) in known_keys().items():
        if key.startswith(f"{table}.") and generic(kind) is Mapping:
            return table, get_args(kind)[1]
    return "", None


def generic(kind: Any) -> Any:
    """Return what a generic type is made of: tuple, Mapping; None for a plain one."""
    return get_origin(kind)


def nearest(word: str, known: Iterable[object]) -> str:
    """Return a question after the known word that is most like this one, nothing when none is."""
    close = difflib.get_close_matches(word, [str(one) for one in known], n=1, cutoff=0.6)
    return f"; do you mean {close[0]}?" if close else ""


def nearest_key(key: str) -> str:
    """Return a question after the known key that is most like this one, also inside an open table."""
    table, value = open_table(key)
    inside: list[str] = []
    if isinstance(value, type) and is_dataclass(value):
        head = ".".join(key.split(".")[: table.count(".") + 2])
        inside = [f"{head}.{name}" for name in section_keys(value)]
    return nearest(key, inside or known_keys())


def flatten(config: Config) -> dict[str, object]:
    """Return a configuration as dotted names and values, in the file's order.

    Of an output only the keys that its type has.
    """
    return dict(_flatten(config, ""))


def _walk(cls: type, prefix: str) -> Iterator[tuple[str, Kind]]:
    hints = get_type_hints(cls)
    for item in fields(cls):
        if is_dataclass(hints[item.name]):
            yield from _walk(hints[item.name], f"{prefix}{item.name}.")
        else:
            yield prefix + item.name, (hints[item.name], item.metadata)


def _flatten(section: Any, prefix: str) -> Iterator[tuple[str, object]]:
    for item in fields(section):
        value = getattr(section, item.name)
        kinds = item.metadata.get("kinds")
        if kinds is not None and section.type not in kinds:
            continue
        if is_dataclass(value):
            yield from _flatten(value, f"{prefix}{item.name}.")
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                key = f"{prefix}{item.name}.{name}"
                if is_dataclass(inner):
                    yield from _flatten(inner, f"{key}.")
                else:
                    yield key, inner
        else:
            yield prefix + item.name, value
