"""Read a configuration from its layers: defaults, file, environment, command line."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from sensor.config.layers import layers
from sensor.config.schema import Config
from sensor.config.values import check
from sensor.config.whole import check_types, check_whole


@dataclass(frozen=True, slots=True)
class Effective:
    """A configuration and, for each key that is not at its default, where its value came from."""

    config: Config
    origins: Mapping[str, str]


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    overrides: Iterable[str] = (),
) -> Effective:
    """Read a configuration: defaults, then the file, then the environment, then KEY=VALUE overrides.

    Raises ConfigError for a file that is missing or not TOML, an unknown key (with the nearest known
    one), a value of another type or out of its range, and for keys that contradict each other.
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, value, origin in layers(path, environ, overrides):
        values[key], origins[key] = check(key, value, origin), origin
    check_types(origins)
    config = _build(Config, "", values)
    check_whole(config, origins)
    return Effective(config, origins)


def _build(cls: type, prefix: str, values: Mapping[str, object]) -> Any:
    hints = get_type_hints(cls)
    given: dict[str, object] = {}
    for item in fields(cls):
        key = prefix + item.name
        kind = hints[item.name]
        if is_dataclass(kind):
            given[item.name] = _build(kind, f"{key}.", values)  # type: ignore[arg-type]
        elif get_origin(kind) is Mapping:
            given[item.name] = _build_table(get_args(kind)[1], f"{key}.", values)
        elif key in values:
            given[item.name] = values[key]
    return cls(**given)


def _build_table(cls: type, prefix: str, values: Mapping[str, object]) -> dict[str, Any]:
    inside = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
    if not is_dataclass(cls):
        return inside
    names = dict.fromkeys(key.split(".")[0] for key in inside)
    return {name: _build(cls, f"{prefix}{name}.", values) for name in names}
