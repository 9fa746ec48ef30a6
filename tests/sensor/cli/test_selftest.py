"""`nettrusion selftest`: passes with what is shipped, and says what is wrong with anything less."""

from pathlib import Path

import pytest

import sensor.pipeline
from sensor.cli import main, selftest
from sensor.config import Config
from sensor.rulebook import Rulebook
from tests.packets import connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES, KnownDetector


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the shipped capture, model and rules by ones made up here."""
    (tmp_path / "a.rules").write_text(RULES)
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    book = Rulebook.load(tmp_path, {})
    monkeypatch.setattr(sensor.pipeline, "load_detector", lambda config: KnownDetector())
    monkeypatch.setattr(sensor.pipeline, "load_rulebook", lambda config: book)
    monkeypatch.setattr(selftest, "DATA", tmp_path)
    return tmp_path / "demo.pcap"


def test_what_is_shipped_passes(capsys):
    assert main(["selftest"]) == 0
    assert capsys.readouterr().out.startswith("selftest passed: ")


def test_an_attack_in_the_capture_passes(made_up, capsys):
    made_up.write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (1, 2), rounds=10)))
    assert main(["selftest"]) == 0
    assert capsys.readouterr().out == "selftest passed: 26 packets, 1 flows, 1 alerts\n"


def test_a_capture_that_alerts_nothing_fails(made_up, capsys):
    made_up.write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (1, 2), rounds=1)))
    assert main(["selftest"]) == 1
    assert "1 flows of demo.pcap were scored and none made an alert" in capsys.readouterr().err


def test_a_damaged_capture_fails(made_up, capsys):
    made_up.write_bytes(pcap(connection("10.0.0.1", "10.0.0.2", (1, 2), rounds=10))[:-1])
    assert main(["selftest"]) == 1
    assert "was not read whole" in capsys.readouterr().err


def test_a_missing_capture_fails(made_up, capsys):
    assert main(["selftest"]) == 1
    assert "the bundled capture is missing" in capsys.readouterr().err


def test_the_defaults_are_what_is_tested():
    assert Config().detector.model == Config().rules.directory == ""
