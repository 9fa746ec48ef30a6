"""Where values come from: the file, the environment, the command line."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args

from sensor.config.faults import ConfigError
from sensor.config.keys import generic, known_keys, look_up

ENV_PREFIX = "NETTRUSION_"


def layers(
    path: Path | None, environ: Mapping[str, str], overrides: Iterable[str]
) -> Iterator[tuple[str, object, str]]:
    """Yield (key, value, where it stands), weakest first: file, environment, KEY=VALUE overrides.

    Raises ConfigError for a file that cannot be read or is not TOML, and for an override without `=`.
    """
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
    """Yield the dotted names and values of a table.

    An empty table is a leaf, so that its name is looked up, unless a known section or open table is empty.
    """
    keys = known_keys()
    known = {name.rpartition(".")[0] for name in keys} | set(keys)
    for name, value in table.items():
        key = prefix + name
        found = look_up(key)
        deeper = found is None or generic(found[0]) is Mapping or is_dataclass(found[0])
        if isinstance(value, dict) and deeper and (value or key in known):
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _from_text(key: str, text: str) -> object:
    """Read a value given as text: TOML where that is of the key's type, the bare words otherwise."""
    kind = (look_up(key) or (str, {}))[0]
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if generic(kind) is tuple:
        bare = value if isinstance(value, str) else text
        return value if isinstance(value, list) else [word.strip() for word in bare.split(",") if word.strip()]
    words = str in (get_args(kind) or (kind,)) and float not in get_args(kind)
    return text if words and not isinstance(value, str) else value
