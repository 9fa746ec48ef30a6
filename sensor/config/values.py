"""One value: of the type that its key has, and within its limits."""

import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_args

from sensor.config.faults import ConfigError
from sensor.config.keys import Kind, generic, look_up, nearest, nearest_key


def check(key: str, value: object, origin: str) -> object:
    """Return a value as its key's type has it: a float for a whole number, a tuple for an array.

    Raises ConfigError, with where the value stands, for a key that there is not (and the nearest that there
    is), for a value of another type or outside of its limits.
    """
    found = look_up(key)
    if found is None:
        raise ConfigError(f"{origin}: there is no key {key}{nearest_key(key)}")
    if generic(found[0]) is tuple:
        return _array(key, value, origin, found)
    return _one(key, value, origin, found)


def _array(key: str, value: object, origin: str, found: Kind) -> tuple[object, ...]:
    kind, limits = found
    if not isinstance(value, list):
        raise ConfigError(f"{origin}: {key} = {value!r}: must be an array of strings")
    elements = tuple(_one(key, element, origin, (get_args(kind)[0], limits)) for element in value)
    if len(elements) < limits.get("least", 0):
        raise ConfigError(f"{origin}: {key} = {value!r}: must name at least {limits['least']}")
    if len(set(elements)) < len(elements):
        raise ConfigError(f"{origin}: {key} = {value!r}: must name each only once")
    return elements


def _one(key: str, value: object, origin: str, found: Kind) -> object:
    kind, limits = found
    table = is_dataclass(kind) or generic(kind) is Mapping
    if table and value == {}:
        return value
    kinds = () if table else get_args(kind) or (kind,)
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
    choices, pattern = limits.get("one_of"), limits.get("pattern")
    low, high = limits.get("low"), limits.get("high")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # A key that may be a number or a word has a range for the one and choices for the other.
    if choices and value not in choices and not (number and low is not None):
        return f"one of {', '.join(map(str, choices))}{nearest(str(value), choices)}"
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        return f"of the form {limits['form']}"
    if low is not None and isinstance(value, int | float) and not value >= low:
        return f"at least {low}"
    if high is not None and isinstance(value, int | float) and not value <= high:
        return f"at most {high}"
    return None


_WORDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a string",
}
