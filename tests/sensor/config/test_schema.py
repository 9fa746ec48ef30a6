"""The commented file that ships agrees with the classes that define it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from sensor.config import Config, SinkConfig, flatten, known_keys, load, section_keys
from sensor.config.whole import NEEDED

SHIPPED = Path(__file__).parents[3] / "sensor" / "sensor.toml"


def leaves(table, prefix=""):
    """Yield the dotted names and values of a TOML table."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, tuple(value) if isinstance(value, list) else value


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
        assert known_keys()[key][0] in (Mapping[str, str], Mapping[str, SinkConfig])
        return
    text = json.dumps(default)
    assert flatten(load(environ={}, overrides=[f"{key}={text}"]).config)[key] == default


def examples():
    """Return the commented-out tables of the shipped file as a TOML document."""
    lines = SHIPPED.read_text().splitlines()
    return "\n".join(line[1:] for line in lines if re.match(r"#[\[a-z]", line))


def test_the_examples_load_and_there_is_one_of_each_type_but_the_datagram(tmp_path):
    path = tmp_path / "examples.toml"
    path.write_text(examples())
    sinks = load(path, environ={}).config.sinks
    assert {sink.type for sink in sinks.values()} | {"unix_dgram"} == set(section_keys(SinkConfig)["type"][1]["one_of"])


def test_the_examples_explain_every_key_at_its_default_except_what_must_be_named(tmp_path):
    path = tmp_path / "examples.toml"
    path.write_text(examples())
    effective = load(path, environ={})
    given = {tuple(key.split(".")[1:]) for key in effective.origins}
    assert {key for _, key in given} == set(section_keys(SinkConfig))
    for name, key in given:
        sink = effective.config.sinks[name]
        if key != "type" and NEEDED.get(sink.type) != key:
            assert getattr(sink, key) == getattr(SinkConfig(type="file"), key), (name, key)


def test_every_key_of_an_example_is_explained_above_it():
    lines = SHIPPED.read_text().splitlines()
    told = [line for line in lines if re.match(r"#[a-z_]+ = ", line)]
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"#[a-z_]+ = ", line) and not line.startswith("#type") and not above.startswith("# ")
    ]
    assert len(told) > 20
    assert not bare
