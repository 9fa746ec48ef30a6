"""The names that a configuration gives to rules."""

from sensor.config import load
from sensor.rulebook import rule_variables
from sensor.rulebook.addresses import parse_addresses


def test_nets_and_further_variables():
    config = load(environ={}, overrides=["sensor.home_net=192.0.2.0/24", "rules.variables.DNS=192.0.2.53"]).config
    assert rule_variables(config) == {
        "HOME_NET": "192.0.2.0/24",
        "EXTERNAL_NET": "!$HOME_NET",
        "DNS": "192.0.2.53",
    }


def test_the_defaults_can_be_read():
    variables = rule_variables(load(environ={}).config)
    home, rest = (parse_addresses(f"${name}", variables) for name in ("HOME_NET", "EXTERNAL_NET"))
    assert parse_addresses("!$EXTERNAL_NET", variables) == home != rest


def test_auto_is_what_the_interfaces_say_else_private_networks():
    config = load(environ={}).config
    assert config.sensor.home_net == "auto"
    assert rule_variables(config, "[192.0.2.0/24]")["HOME_NET"] == "[192.0.2.0/24]"
    assert rule_variables(config)["HOME_NET"].startswith("[10.0.0.0/8,")
    given = load(environ={}, overrides=["sensor.home_net=198.51.100.0/24"]).config
    assert rule_variables(given, "[192.0.2.0/24]")["HOME_NET"] == "198.51.100.0/24"
