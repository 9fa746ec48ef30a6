"""`nettrusion doctor`, as an operator meets it."""

import json

import pytest

from sensor import doctor
from sensor.cli import main
from sensor.doctor import Finding


@pytest.fixture
def seen(monkeypatch):
    """Replace the examination by two findings; return the scenes that were examined."""
    scenes = []

    def examine(scene):
        scenes.append(scene)
        yield Finding("clock", "ok", "noon")
        yield Finding("ring eth0", scene.config.sensor.name or "warning", "small", "make it larger")

    monkeypatch.setattr(doctor, "examine", examine)
    return scenes


def test_a_line_a_check_and_a_sum(seen, capsys):
    assert main(["doctor", "-i", "eth0", "-i", "eth1", "--source", "scapy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "clock", "noon"]
    assert lines[1].endswith("small; make it larger")
    assert lines[2] == "2 checks: 0 fail, 1 warning"
    assert seen[0].config.capture.interfaces == ("eth0", "eth1")
    assert seen[0].config.capture.source == "scapy"


def test_a_fail_is_exit_code_1(seen, tmp_path, capsys):
    path = tmp_path / "sensor.toml"
    path.write_text('[sensor]\nname = "fail"\n[capture]\ninterfaces = ["eth7"]\n')
    assert main(["doctor", "-c", str(path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told[1] == {"check": "ring eth0", "outcome": "fail", "found": "small", "remedy": "make it larger"}
    assert seen[0].config.capture.interfaces == ("eth7",)


def test_this_machine(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--set", "output.path=/nowhere/eve.json"]) == 1
    assert "there is no folder /nowhere" in capsys.readouterr().out


def test_a_configuration_that_is_wrong_is_one_sentence(capsys):
    assert main(["doctor", "--set", "flows.max_flow=1"]) == 1
    assert "do you mean flows.max_flows?" in capsys.readouterr().err
