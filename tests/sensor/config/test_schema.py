"""The commented file that ships agrees with the classes that define it."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from sensor.config import Config, flatten, known_keys, load

SHIPPED = Path(__file__).parents[3] / "sensor" / "sensor.toml"


def leaves(table, prefix=""):
    """Yield the dotted names and values of a TOML table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_the_shipped_file_has_every_key_at_its_default_in_the_same_order():
    shipped = dict(leaves(tomllib.loads(SHIPPED.read_text())))
    assert list(shipped.items()) == list(flatten(Config()).items())


def test_the_shipped_file_loads_to_the_defaults():
    assert load(SHIPPED, environ={}).config == Config()


def test_every_key_of_the_shipped_file_is_explained_above_it():
    lines = SHIPPED.read_text().splitlines()
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"\w+ = ", line) and not above.startswith("# ")
    ]
    assert not bare


@pytest.mark.parametrize("key", sorted(known_keys()))
def test_every_default_is_of_its_type_and_within_its_limits(key):
    default = flatten(Config()).get(key)
    if default is None:
        assert known_keys()[key][0] == Mapping[str, str]
        return
    assert load(
        environ={},
        overrides=[f"{key}={default!r}".replace("True", "true").replace("False", "false")],
    )
