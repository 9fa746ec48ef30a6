"""`nettrusion config check`, as an operator meets it."""

import tomllib

import pytest

from sensor.cli import main
from sensor.config import Config, load


def test_what_it_prints_is_a_configuration_again(tmp_path, capsys):
    source = tmp_path / "a.toml"
    source.write_text(
        '[sensor]\nname = "gate \\" way"\n[rules.variables]\nDNS = "10.0.0.2"\n'
        '[sinks.far]\ntype = "unix_dgram"\npath = "/é"\n'
    )
    assert main(["config", "check", str(source), "--set", "flows.max_flows=1000"]) == 0
    printed = capsys.readouterr().out
    assert f"  # {source}\n" in printed
    assert "max_flows = 1000  # --set flows.max_flows=1000\n" in printed
    again = tmp_path / "b.toml"
    again.write_text(printed)
    config = load(again, environ={}).config
    assert config.sensor.name == 'gate " way'
    assert config.flows.max_flows == 1000
    assert config.sinks == load(source, environ={}).config.sinks
    assert config.rules.variables == {"DNS": "10.0.0.2"}


def test_without_a_file_it_prints_the_defaults(tmp_path, capsys, monkeypatch):
    assert main(["config", "check"]) == 0
    printed = capsys.readouterr().out
    assert "#" not in printed
    assert tomllib.loads(printed)["flows"]["max_flows"] == Config().flows.max_flows


def test_a_mistake_is_one_sentence_and_exit_code_1(tmp_path, capsys):
    path = tmp_path / "a.toml"
    path.write_text("[output]\npaht = 1\n")
    assert main(["config", "check", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"nettrusion: {path}: there is no key output.paht; do you mean output.path?\n"


def test_check_must_be_said(capsys):
    with pytest.raises(SystemExit) as left:
        main(["config"])
    assert left.value.code == 2
