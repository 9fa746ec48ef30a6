"""A configuration from its layers, and what a mistake in one of them says."""

import pytest

from sensor.config import Config, ConfigError, flatten, load


def write(tmp_path, text):
    path = tmp_path / "sensor.toml"
    path.write_text(text)
    return path


def test_nothing_given_is_the_defaults():
    effective = load(environ={})
    assert effective.config == Config()
    assert effective.origins == {}


def test_each_layer_is_above_the_one_before(tmp_path):
    path = write(tmp_path, "[flows]\nmax_flows = 1000\n[flows.timeouts]\nicmp_s = 7\nother_s = 8\n")
    environ = {"NETTRUSION_FLOWS__MAX_FLOWS": "2000", "NETTRUSION_FLOWS__TIMEOUTS__OTHER_S": "9"}
    effective = load(path, environ=environ, overrides=["flows.max_flows=3000"])
    assert effective.config.flows.max_flows == 3000
    assert effective.config.flows.timeouts.icmp_s == 7
    assert effective.config.flows.timeouts.other_s == 9
    assert effective.origins == {
        "flows.max_flows": "--set flows.max_flows=3000",
        "flows.timeouts.icmp_s": str(path),
        "flows.timeouts.other_s": "environment NETTRUSION_FLOWS__TIMEOUTS__OTHER_S",
    }


def test_other_variables_of_the_environment_are_left_alone():
    environ = {"NETTRUSION_SHARED": "/srv", "NETTRUSION": "x", "FLOWS__MAX_FLOWS": "1"}
    assert load(environ=environ).config == Config()


def test_rule_variables_are_an_open_table(tmp_path):
    path = write(tmp_path, '[rules.variables]\nHTTP_SERVERS = "10.0.0.1"\n')
    environ = {"NETTRUSION_RULES__VARIABLES__DNS": "10.0.0.2"}
    config = load(path, environ=environ, overrides=["rules.variables.SSH=[10.0.0.3,10.0.0.4]"]).config
    assert config.rules.variables == {
        "HTTP_SERVERS": "10.0.0.1",
        "DNS": "10.0.0.2",
        "SSH": "[10.0.0.3,10.0.0.4]",
    }
    assert flatten(config)["rules.variables.DNS"] == "10.0.0.2"


@pytest.mark.parametrize(
    ("override", "value"),
    [("0.25", 0.25), ("1", 1.0), ("budget", "budget"), ('"model"', "model")],
)
def test_a_threshold_is_a_number_or_a_word(override, value):
    assert load(environ={}, overrides=[f"detector.threshold={override}"]).config.detector.threshold == value


def test_bare_words_are_strings_where_strings_belong():
    config = load(environ={}, overrides=["sensor.name=true", "output.mode=0600", "rules.directory=/etc/r"]).config
    assert (config.sensor.name, config.output.mode, config.rules.directory) == (
        "true",
        "0600",
        "/etc/r",
    )


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("flows.max_flow=1", "there is no key flows.max_flow; do you mean flows.max_flows?"),
        ("flow.max_flows=1", "do you mean flows.max_flows?"),
        ("zzz=1", "there is no key zzz"),
        ("rules.variables=1", "must be a table"),
        ("rules.variables.=1", "there is no key rules.variables."),
        ("flows.max_flows=many", "must be a whole number"),
        ("flows.max_flows=1.5", "must be a whole number"),
        ("flows.max_flows=true", "must be a whole number"),
        ("flows.max_flows=1", "must be at least 64"),
        ("flows.max_flows=99999999999", "must be at most 16777216"),
        ("flows.vlan_in_key=1", "must be true or false"),
        ("flows.profile=wires", "must be one of wire, cns22, fork, legacy"),
        ("detector.threshold=0.5x", "must be one of model, budget"),
        ("detector.threshold=95", "must be at most 1"),
        ("detector.threshold=nan", "must be at least 0"),
        ("detector.threshold=true", "must be a number or a string"),
        ("output.mode=rw-r", "must be of the form"),
        ("flows.max_flows", "write it as section.key=value"),
    ],
)
def test_a_mistake_says_where_and_what_would_be_right(override, says):
    with pytest.raises(ConfigError) as caught:
        load(environ={}, overrides=[override])
    assert f"--set {override}" in str(caught.value)
    assert says in str(caught.value)


def test_a_mistake_in_the_file_names_the_file_and_the_key(tmp_path):
    path = write(tmp_path, "[flows.timeouts]\ntcp_news_s = 3\n")
    with pytest.raises(ConfigError, match=f"{path}: there is no key flows.timeouts.tcp_news_s; do you mean"):
        load(path, environ={})


@pytest.mark.parametrize("text", ["[flow]\n", "[rules.variable]\n", "[rules.variables.deeper]\n"])
def test_an_empty_section_that_is_unknown_is_refused_too(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=str(path)):
        load(path, environ={})


@pytest.mark.parametrize("text", ["[flows\n", "a = \n", "\x00"])
def test_a_file_that_is_not_toml_says_so(tmp_path, text):
    with pytest.raises(ConfigError, match="is not TOML"):
        load(write(tmp_path, text), environ={})


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot read the configuration: No such file"):
        load(tmp_path / "nowhere.toml", environ={})


def test_a_folder_and_binary_junk_say_so(tmp_path):
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, environ={})
    path = tmp_path / "junk"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(path, environ={})
