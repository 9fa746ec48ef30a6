"""A configuration's fault is an operator's: a sentence and exit code 1."""

from sensor.config.faults import ConfigError
from sensor.errors import NettrusionError


def test_it_is_an_operators_error():
    assert issubclass(ConfigError, NettrusionError)
    assert ConfigError("a.toml: is empty").exit_code == 1
