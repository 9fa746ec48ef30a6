"""`nettrusion selftest`: in the running configuration, as an operator meets it."""

import pytest

import sensor.selftest
from sensor.cli import main
from sensor.selftest import SelftestResult
from tests.sensor.known import halve_scores


def test_what_is_shipped_passes(capsys):
    assert main(["selftest"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("selftest passed: ")
    assert said.err == ""


def test_a_configuration_under_which_nothing_alerts_fails(tmp_path, capsys, monkeypatch):
    halve_scores(monkeypatch)
    path = tmp_path / "sensor.toml"
    path.write_text("[detector]\nthreshold = 1.0\n")
    assert main(["selftest", "-c", str(path), "--set", "flows.max_flows=1000"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("nettrusion: selftest failed: none of ")
    assert 'lower detector.threshold = 1, or set it to "model"' in said.err


def test_rules_that_say_nothing_are_a_warning(capsys, monkeypatch):
    quiet = SelftestResult(True, "nobody speaks", packets=9, flows=2, above=1)
    monkeypatch.setattr(sensor.selftest, "run_selftest", lambda config: quiet)
    assert main(["selftest"]) == 0
    said = capsys.readouterr()
    assert said.out == "selftest passed: 9 packets, 2 flows, 0 alerts\n"
    assert said.err == "nettrusion: warning: nobody speaks\n"


@pytest.mark.parametrize("override", ["rules.directory=/nowhere", "detector.model=/nowhere.onnx", "flows.max_flow=1"])
def test_what_cannot_be_loaded_is_one_sentence(override, capsys):
    assert main(["selftest", "--set", override]) == 1
    assert capsys.readouterr().err.startswith("nettrusion: ")
