"""The layers, weakest first, as keys and values with where they stand."""

import pytest

from sensor.config.faults import ConfigError
from sensor.config.layers import layers


def test_they_come_weakest_first(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        '[flows]\nmax_flows = 100\n[sinks.a]\ntype = "stdout"\nevents = ["alert"]\n'
        '[rules.variables]\nA = "b"\n'
    )
    environ = {"NETTRUSION_RULES__VARIABLES__DNS": "x", "NETTRUSION_SENSOR__NAME": "7", "PATH": "/bin"}
    assert list(layers(path, environ, ["flows.max_flows = 9"])) == [
        ("flows.max_flows", 100, str(path)),
        ("sinks.a.type", "stdout", str(path)),
        ("sinks.a.events", ["alert"], str(path)),
        ("rules.variables.A", "b", str(path)),
        ("rules.variables.DNS", "x", "environment NETTRUSION_RULES__VARIABLES__DNS"),
        ("sensor.name", "7", "environment NETTRUSION_SENSOR__NAME"),
        ("flows.max_flows", 9, "--set flows.max_flows = 9"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[sinks]\n", []),
        ("[rules.variables]\n", []),
        ("[capture]\n", []),
        ("[sinks.a]\n", [("sinks.a", {})]),
        ("[what]\n", [("what", {})]),
        ("[what]\never = {}\n", [("what.ever", {})]),
    ],
)
def test_an_empty_table_is_told_only_where_its_name_must_be_looked_up(tmp_path, text, found):
    path = tmp_path / "a.toml"
    path.write_text(text)
    assert [(key, value) for key, value, _ in layers(path, {}, [])] == found


def test_an_override_needs_its_equals_sign():
    with pytest.raises(ConfigError, match=r"--set flows: write it as section.key=value"):
        list(layers(None, {}, ["flows"]))
