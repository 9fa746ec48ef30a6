"""Profiles: one TOML file says who does what how often, which attacks happen, on what network.

A profile with a `base` stands above another: its keys replace the base's, tables key by key,
lists as a whole. Unknown keys are refused with the nearest known name.
"""

import datetime
import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from sensor.errors import NettrusionError

Rhythm = Literal["people", "machines"]
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
DURATION = re.compile(r"(?P<count>\d+(\.\d+)?)\s*(?P<unit>[smh])")
ALL_DAY = (1.0,) * 24


def duration(value: Any) -> float:
    """Return seconds from a number of them or a text such as `90s`, `5m`, `1.5h`; ValueError for others."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("a duration such as 90s, 5m or 1.5h")
    return float(found["count"]) * UNITS_S[found["unit"]]


def window(value: Any) -> tuple[float, float]:
    """Return two durations since the beginning, the earlier one first; ValueError for others."""
    if not isinstance(value, list) or len(value) != 2 or duration(value[0]) > duration(value[1]):
        raise ValueError('two durations since the beginning such as ["1h", "2.5h"]')
    return duration(value[0]), duration(value[1])


def moment(value: Any) -> int:
    """Return nanoseconds since 1970 of a TOML date-time, taken as UTC; ValueError for others."""
    if not isinstance(value, datetime.datetime):
        raise ValueError("a date and time such as 2026-03-02T12:00:00")
    return int(value.replace(tzinfo=datetime.UTC).timestamp()) * 10**9


def curve(value: Any) -> tuple[float, ...]:
    """Return 24 weights, one for each hour of the day; ValueError for others."""
    if not isinstance(value, list) or len(value) != 24 or min(value) < 0 or max(value) <= 0:
        raise ValueError("24 weights, one for each hour of the day, none negative")
    return tuple(float(weight) for weight in value)


def rhythm(value: Any) -> str:
    """Return a rhythm; ValueError for others."""
    if value not in get_args(Rhythm):
        raise ValueError(" or ".join(get_args(Rhythm)))
    return str(value)


def _read(key: str, reader: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what makes a field be read from another key, by a reader of its own."""
    return {"key": key, "reader": reader}


@dataclass(frozen=True, slots=True)
class Doing:
    """How often somebody does a kind of act.

    `per_hour` is a mean with irregular gaps (of people: per hour of presence where the day's curve
    is 1); `every` is a grid, each act late by up to `jitter` of it. Neither: never.
    """

    per_hour: float = 0.0
    every_s: float = field(default=0.0, metadata=_read("every", duration))
    jitter: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Role:
    """Who does what: on which hosts, how many of them on each, in which rhythm, which kinds of acts.

    People are present and absent in turns (lognormal, these medians) and follow the day's curve;
    machines know neither.
    """

    hosts: tuple[str, ...] = ()
    count: int = 1
    rhythm: str = field(default="people", metadata=_read("rhythm", rhythm))
    present_s: float = field(default=2400.0, metadata=_read("present", duration))
    absent_s: float = field(default=900.0, metadata=_read("absent", duration))
    curve: tuple[float, ...] = field(default=ALL_DAY, metadata=_read("curve", curve))
    kinds: Mapping[str, Doing] = field(default_factory=dict, metadata={"each": Doing})


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack: kind and host, how often, when (since the beginning; anywhere in the window).

    With `every` each time is a series of `count` acts, `jitter` of the interval early or late.
    """

    kind: str = ""
    host: str = ""
    times: int = 1
    between_s: tuple[float, float] | None = field(default=None, metadata=_read("between", window))
    every_s: float = field(default=0.0, metadata=_read("every", duration))
    count: int = 1
    jitter: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """All of a recording.

    `begins` and `hours` are virtual, `minutes` real: when they are up, what has not begun is left
    out. `busy` multiplies all that people do. `actors` is how many short acts run at a time (0: by
    the machine's cores). With `squeeze = false` acts begin when they are planned, in real time.
    `network` is what `network.build` takes.
    """

    name: str = ""
    seed: int = 1
    begins_ns: int = field(default=1_772_452_800 * 10**9, metadata=_read("begins", moment))
    hours: float = 10.0
    minutes: float = 15.0
    squeeze: bool = True
    busy: float = 1.0
    actors: int = 0
    snap_bytes: int = 192
    network: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict, metadata={"each": Role})
    attacks: tuple[Attack, ...] = field(default=(), metadata={"list": Attack})

    @property
    def kinds(self) -> set[str]:
        """The names of all kinds that the profile asks for."""
        doing = {
            kind for role in self.roles.values() for kind, how in role.kinds.items() if how.per_hour or how.every_s
        }
        return doing | {attack.kind for attack in self.attacks}


def folder() -> Path:
    """Return the folder of the profiles that come along."""
    return Path(str(files("training.testbed") / "profiles"))


def names() -> list[str]:
    """Return the names of the profiles that come along."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load(name: str) -> Profile:
    """Return a profile by its name, or by the path of a TOML file.

    Raises NettrusionError that names the file, the key and what would do.
    """
    path = Path(name) if name.endswith(".toml") else folder() / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise NettrusionError(f"no profile {name}; {_nearest(name, names())}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}; name a readable TOML file") from problem
    except tomllib.TOMLDecodeError as problem:
        raise NettrusionError(f"{path}: not TOML: {problem}") from problem
    base = document.pop("base", None)
    if base is not None and not isinstance(base, str):
        raise NettrusionError(f"{path}: base: expected the name of a profile, found {base!r}")
    filled: Profile = replace(_fill(load(base) if base else Profile(), document, str(path)), name=path.stem)
    if filled.hours <= 0 or filled.minutes <= 0 or filled.busy < 0:
        raise NettrusionError(f"{path}: hours and minutes are positive, busy is not negative")
    return filled


def verify(profile: Profile, kinds: Mapping[str, Mapping[str, Any]], hosts: Iterable[str]) -> None:
    """Hold a profile against the kinds there are, with their settings, and the hosts.

    Raises NettrusionError that names what is not there and the nearest that is.
    """
    known = sorted(hosts)
    asked = [(name, how.settings, role.hosts) for role in profile.roles.values() for name, how in role.kinds.items()]
    asked += [(attack.kind, attack.settings, (attack.host,)) for attack in profile.attacks]
    for kind, chosen, places in asked:
        if kind not in kinds:
            raise NettrusionError(f"profile {profile.name}: no kind {kind}; {_nearest(kind, kinds)}")
        for key in chosen:
            if key not in kinds[kind]:
                raise NettrusionError(
                    f"profile {profile.name}: {kind} has no setting {key}; {_nearest(key, kinds[kind])}"
                )
        for host in places:
            if host not in known:
                raise NettrusionError(f"profile {profile.name}: {kind}: no host {host}; {_nearest(host, known)}")


def _fill(above: Any, given: Mapping[str, Any], where: str) -> Any:
    """Return a copy of a settings object with the given keys."""
    known = {entry.metadata.get("key", entry.name): entry for entry in fields(above)}
    changes: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise NettrusionError(f"{where}: unknown key {key}; {_nearest(key, known)}")
        entry = known[key]
        old = getattr(above, entry.name)
        changes[entry.name] = _value(old, value, entry.metadata, f"{where}: {key}")
    return replace(above, **changes)


def _value(old: Any, value: Any, rule: Mapping[str, Any], where: str) -> Any:
    """Return a TOML value as a field's; raises NettrusionError when it is not of its type."""
    if "reader" in rule:
        try:
            return rule["reader"](value)
        except (ValueError, TypeError) as problem:
            raise NettrusionError(f"{where}: expected {problem}, found {value!r}") from problem
    if "each" in rule and isinstance(value, Mapping):
        made = {key: _fill(old.get(key, rule["each"]()), _table(one), f"{where}.{key}") for key, one in value.items()}
        return {**old, **made}
    if "list" in rule and isinstance(value, list):
        return tuple(_fill(rule["list"](), _table(one), f"{where} {place}") for place, one in enumerate(value, 1))
    if isinstance(old, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(old, tuple) and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if isinstance(old, Mapping) and isinstance(value, Mapping) and "each" not in rule:
        return _merged(old, value)
    if type(value) is type(old):
        return value
    wanted = "a table" if isinstance(old, Mapping) else "a list" if isinstance(old, tuple) else type(old).__name__
    raise NettrusionError(f"{where}: expected {wanted}, found {value!r}")


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table put above another, and so their tables of the same name."""
    merged = dict(below)
    for key, value in above.items():
        old = below.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _table(value: Any) -> Mapping[str, Any]:
    """Return a table of settings; a bare number stands for `per_hour`, a bare text for `every`."""
    if isinstance(value, Mapping):
        return value
    return {"every": value} if isinstance(value, str) else {"per_hour": value}


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at what may have been meant."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
