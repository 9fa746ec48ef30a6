"""Keys that contradict each other."""

from dataclasses import replace

import pytest

from sensor.config import CaptureConfig, Config, SinkConfig, section_keys
from sensor.config.faults import ConfigError
from sensor.config.whole import NEEDED, check_types, check_whole


def test_the_defaults_agree():
    check_types({})
    check_whole(Config(), {})


def test_a_ring_holds_two_blocks_or_more():
    check_whole(Config(capture=CaptureConfig(ring_mb=32, block_kb=16384)), {})
    with pytest.raises(ConfigError, match=r"^a.toml: capture.block_kb: a ring of 31 MiB must hold at least two"):
        check_whole(Config(capture=CaptureConfig(ring_mb=31, block_kb=16384)), {"capture.block_kb": "a.toml"})


def test_what_an_output_needs_is_a_key_that_it_has():
    keys = section_keys(SinkConfig)
    for kind, key in NEEDED.items():
        assert kind in keys["type"][1]["one_of"]
        assert kind in keys[key][1]["kinds"]
        sink = SinkConfig(type=kind)
        with pytest.raises(ConfigError, match=f"sinks.a.{key} must be given too"):
            check_whole(Config(sinks={"a": sink}), {})
        given = replace(sink, path="h:1") if key == "path" else replace(sink, address="h:1")
        check_whole(Config(sinks={"a": given}), {})


def test_a_key_of_another_type_is_refused_even_at_its_default():
    sink = SinkConfig(type="stdout")
    check_whole(Config(sinks={"a": sink}), {"sinks.a.type": "a.toml"})
    with pytest.raises(ConfigError, match=r"^a.toml: sinks.a.tls: an output of type stdout has no such"):
        check_whole(Config(sinks={"a": sink}), {"sinks.a.tls": "a.toml"})


@pytest.mark.parametrize("name", ["B", "a b", "-a", "é", ""])
def test_a_name_is_plain(name):
    with pytest.raises(ConfigError, match="a name is of small letters"):
        check_types({f"sinks.{name}.type": "a.toml"})


def test_a_redis_server_of_this_machine_needs_no_address():
    check_whole(Config(sinks={"a": SinkConfig(type="redis", path="/run/redis.sock")}), {})
