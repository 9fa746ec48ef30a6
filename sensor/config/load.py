"""Read a configuration from its layers: defaults, file, environment, command line."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from sensor.config.schema import Config
from sensor.errors import NettrusionError

ENV_PREFIX = "NETTRUSION_"


@dataclass(frozen=True, slots=True)
class Effective:
    """A configuration and, for each key that is not at its default, where its value came from."""

    config: Config
    origins: Mapping[str, str]


class ConfigError(NettrusionError):
    """A configuration that cannot be used; the sentence names the file and the key."""


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Iterable[str] = (),
) -> Effective:
    """Read a configuration: defaults, then the file, then the environment, then KEY=VALUE overrides.

    Raises ConfigError for a file that is missing or not TOML, an unknown key (with the nearest known
    one), a value of another type or out of its range.
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, value, origin in _layers(path, environ, overrides):
        values[key], origins[key] = _checked(key, value, origin), origin
    return Effective(_build(Config, "", values), origins)


def known_keys() -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """Return every key by its dotted name with its type and its limits, in the file's order."""
    return dict(_walk(Config, ""))


def flatten(config: Config) -> dict[str, object]:
    """Return a configuration as dotted names and values, in the file's order."""
    return dict(_flatten(config, ""))


def _walk(cls: type, prefix: str) -> Iterator[tuple[str, tuple[Any, Mapping[str, Any]]]]:
    hints = get_type_hints(cls)
    for item in fields(cls):
        if is_dataclass(hints[item.name]):
            yield from _walk(hints[item.name], f"{prefix}{item.name}.")
        else:
            yield prefix + item.name, (hints[item.name], item.metadata)


def _flatten(section: Any, prefix: str) -> Iterator[tuple[str, object]]:
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            yield from _flatten(value, f"{prefix}{item.name}.")
        elif isinstance(value, Mapping):
            yield from ((f"{prefix}{item.name}.{name}", word) for name, word in value.items())
        else:
            yield prefix + item.name, value


def _build(cls: type, prefix: str, values: Mapping[str, object]) -> Any:
    hints = get_type_hints(cls)
    given: dict[str, object] = {}
    for item in fields(cls):
        key = prefix + item.name
        if is_dataclass(hints[item.name]):
            given[item.name] = _build(hints[item.name], f"{key}.", values)
        elif get_origin(hints[item.name]) is Mapping:
            start = f"{key}."
            given[item.name] = {
                name.removeprefix(start): value for name, value in values.items() if name.startswith(start)
            }
        elif key in values:
            given[item.name] = values[key]
    return cls(**given)


def _layers(
    path: Path | None, environ: Mapping[str, str], overrides: Iterable[str]
) -> Iterator[tuple[str, object, str]]:
    """Yield (key, value, where it stands), weakest first."""
    if path is not None:
        for key, value in _leaves(_read(path), ""):
            yield key, value, str(path)
    for name, text in sorted(environ.items()):
        if name.startswith(ENV_PREFIX) and "__" in name:
            *sections, last = name.removeprefix(ENV_PREFIX).split("__")
            head = ".".join(sections).lower()
            # Rule variables are upper case by custom; the keys of the sections are not.
            key = f"{head}.{last if head == 'rules.variables' else last.lower()}"
            yield key, _from_text(key, text), f"environment {name}"
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set {override}: write it as section.key=value")
        yield key.strip(), _from_text(key.strip(), text.strip()), f"--set {override}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error


def _leaves(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    """Yield the dotted names and values of a table; an empty section is a leaf unless it is known."""
    sections = {name.rpartition(".")[0] for name in known_keys()}
    for name, value in table.items():
        key = prefix + name
        if isinstance(value, dict) and key in known_keys():
            yield from ((f"{key}.{inner}", word) for inner, word in value.items())
        elif isinstance(value, dict) and (value or key in sections):
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _from_text(key: str, text: str) -> object:
    """Read a value given as text: TOML where that is of the key's type, the bare words otherwise."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    kind, _ = _lookup(key) or (str, {})
    return text if kind is str and not isinstance(value, str) else value


def _lookup(key: str) -> tuple[Any, Mapping[str, Any]] | None:
    """Return a key's type and limits; a key inside an open table has the type of its values."""
    keys = known_keys()
    if key in keys:
        return keys[key]
    table, _, name = key.rpartition(".")
    if table in keys and name and get_origin(keys[table][0]) is Mapping:
        return get_args(keys[table][0])[1], {}
    return None


def _checked(key: str, value: object, origin: str) -> object:
    found = _lookup(key)
    if found is None:
        raise ConfigError(f"{origin}: there is no key {key}{_nearest(key, known_keys())}")
    kind, limits = found
    kinds = () if get_origin(kind) is Mapping else get_args(kind) or (kind,)
    if float in kinds and type(value) is int:
        value = float(value)
    if type(value) not in kinds:
        wanted = " or ".join(_WORDS[one] for one in kinds) or "a table"
        raise ConfigError(f"{origin}: {key} = {value!r}: must be {wanted}")
    wrong = _broken_limit(value, limits)
    if wrong:
        raise ConfigError(f"{origin}: {key} = {value!r}: must be {wrong}")
    return value


def _broken_limit(value: object, limits: Mapping[str, Any]) -> str | None:
    """Return the limit that a value breaks, in words, or None. NaN breaks every limit."""
    if isinstance(value, str):
        words, pattern = limits.get("one_of"), limits.get("pattern")
        if words and value not in words:
            return f"one of {', '.join(words)}"
        if pattern and not re.fullmatch(pattern, value):
            return f"of the form {pattern}"
    elif isinstance(value, int | float):
        low, high = limits.get("low"), limits.get("high")
        if low is not None and not value >= low:
            return f"at least {low}"
        if high is not None and not value <= high:
            return f"at most {high}"
    return None


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f"; do you mean {close[0]}?" if close else ""


_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a string",
}
