"""Keys by their dotted names, open tables among them."""

from collections.abc import Mapping

import pytest

from sensor.config import Config, SinkConfig
from sensor.config.keys import flatten, generic, known_keys, look_up, nearest, nearest_key, section_keys


def test_an_open_table_is_one_key_and_a_section_is_none():
    assert {"rules.variables", "sinks", "flows.timeouts.tcp_s"} < set(known_keys())
    assert not {"rules", "flows.timeouts", "sinks.type"} & set(known_keys())
    assert generic(known_keys()["sinks"][0]) is Mapping


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("flows.max_flows", int),
        ("rules.variables.DNS", str),
        ("sinks.a", SinkConfig),
        ("sinks.a.queue_mb", int),
        ("capture.interfaces", tuple[str, ...]),
    ],
)
def test_a_key_has_a_type(key, kind):
    found = look_up(key)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize("key", ["", "flows", "rules.variables.", "rules.variables.A.B", "sinks.", "sinks.a.b", "x.y"])
def test_other_names_are_no_keys(key):
    assert look_up(key) is None


def test_the_nearest_key_is_looked_for_where_the_name_stands():
    assert nearest_key("sinks.a.adress") == "; do you mean sinks.a.address?"
    assert nearest_key("capture.ring_kb") == "; do you mean capture.ring_mb?"
    assert nearest_key("qqq") == nearest("qqq", ["flow"]) == ""


def test_an_output_is_flattened_to_the_keys_of_its_type():
    flat = flatten(Config(sinks={"a": SinkConfig(type="stdout"), "b": SinkConfig(type="redis")}))
    assert [key for key in flat if key.startswith("sinks.a.")] == ["sinks.a.type", "sinks.a.events", "sinks.a.queue_mb"]
    assert "sinks.b.store" in flat
    assert set(section_keys(SinkConfig)) > {key.split(".")[-1] for key in flat if key.startswith("sinks.b.")}
