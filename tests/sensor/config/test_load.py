"""A configuration from its layers, and what a mistake in one of them says."""

import pytest

from sensor.config import Config, ConfigError, SinkConfig, flatten, load


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
        ("detector.threshold=0.5x", "must be one of model, budget, calibrated"),
        ("detector.threshold=95", "must be at most 1"),
        ("detector.threshold=nan", "must be at least 0"),
        ("detector.threshold=true", "must be a number or a string"),
        ("output.mode=rw-r", "must be of the form"),
        ("flows.max_flows", "write it as section.key=value"),
        ("flows.profile=wires", "; do you mean wire?"),
        ("capture.block_kb=1000", "must be one of 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384"),
        ("capture.snap_bytes=64", "must be at least 96"),
        ("capture.interfaces=eth0,eth0", "must name each only once"),
        ('capture.interfaces=["eth0", 1]', "must be a string"),
        ('capture.interfaces=[""]', "must be of the form an interface's name"),
        ("metrics.listen=9765", "must be of the form HOST:PORT"),
        ("sinks=1", "must be a table"),
        ("sinks.a=1", "must be a table"),
        ("sinks.a.typ=file", "there is no key sinks.a.typ; do you mean sinks.a.type?"),
        ("sinks.a.b.type=file", "there is no key sinks.a.b.type"),
        ("sinks.a.type=fill", "must be one of file, stdout, unix_stream, unix_dgram, syslog, redis, kafka; do"),
        ("sinks.a.events=alrt", "must be one of alert, anomaly, stats, flow; do you mean alert?"),
        ("sinks.a.events=", "must name at least 1"),
        ("sinks.a.path=x", "sinks.a.type is missing; it is one of file, "),
        ("sinks.A b.type=stdout", "sinks.A b: a name is of small letters"),
        ("sinks.a.type=file", "sinks.a.type is file: sinks.a.path must be given too"),
        ("sinks.a.type=redis", "sinks.a.type is redis: sinks.a.address must be given too"),
        ("sinks.a.address=localhost", "must be of the form HOST:PORT"),
        ("capture.ring_mb=1", "must hold at least two blocks of 1024 KiB"),
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


@pytest.mark.parametrize("text", ["[flow]\n", "[rules.variable]\n", "[rules.variables.deeper]\n", "[sink]\n"])
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


def test_arrays_come_as_toml_or_as_words():
    for text in ('["eth0", "eth1"]', "eth0,eth1", " eth0 , eth1 ", '"eth0,eth1"'):
        config = load(environ={}, overrides=[f"capture.interfaces={text}"]).config
        assert config.capture.interfaces == ("eth0", "eth1")
    config = load(environ={"NETTRUSION_CAPTURE__INTERFACES": "eth0"}, overrides=[]).config
    assert config.capture.interfaces == ("eth0",)
    assert load(environ={}, overrides=["capture.interfaces="]).config.capture.interfaces == ()


def test_an_array_in_the_file_must_be_one(tmp_path):
    with pytest.raises(ConfigError, match=r"capture.interfaces = 'eth0': must be an array of strings"):
        load(write(tmp_path, '[capture]\ninterfaces = "eth0"\n'), environ={})


def test_outputs_are_tables_of_keys_that_the_layers_share(tmp_path):
    path = write(
        tmp_path,
        '[sinks]\n[sinks.local]\ntype = "file"\npath = "a.json"\nevents = ["alert"]\n[sinks.far]\ntype = "kafka"\n',
    )
    environ = {"NETTRUSION_SINKS__FAR__ADDRESS": "a:9092,[::1]:9093"}
    effective = load(path, environ=environ, overrides=["sinks.out.type=stdout", "sinks.local.path=b.json"])
    sinks = effective.config.sinks
    assert sinks == {
        "local": SinkConfig(type="file", path="b.json", events=("alert",)),
        "far": SinkConfig(type="kafka", address="a:9092,[::1]:9093"),
        "out": SinkConfig(type="stdout"),
    }
    flat = flatten(effective.config)
    assert flat["sinks.local.path"] == "b.json"
    assert "sinks.local.address" not in flat
    assert effective.origins["sinks.local.events"] == str(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "sinks.a.type is missing"),
        ('type = "redis"\naddress = "h:1"\nrotate_s = 1', "sinks.a.rotate_s: an output of type redis has no such key"),
        ('type = "file"\npath = "a.json"\nrotate_s = 60', "sinks.a.rotate_s: sinks.a.path = 'a.json' needs codes of"),
        ('type = "redis"\naddress = "h:1"\npath = "/s"', "sinks.a.path: has no meaning beside sinks.a.address"),
        ('type = "stdout"\n[stats]\npath = "s.json"', "stats.path: does not go with [sinks]"),
        ('type = "redis"\naddress = "h:1,i:2"', "an output of type redis has one address"),
        ('type = "syslog"\ntransport = "udp"', "sinks.a.type is syslog over udp: sinks.a.address must be given too"),
        ('type = "syslog"\ntransport = "tcp"\naddress = "h:1"\npath = "/x"', "sinks.a.path: has no meaning with"),
        ('type = "syslog"\naddress = "h:1"', "sinks.a.address: has no meaning with sinks.a.transport = 'unix'"),
    ],
)
def test_keys_of_an_output_that_do_not_go_together(tmp_path, text, says):
    path = write(tmp_path, f"[sinks.a]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
