"""A reload: model, rules and thresholds from the file as it is now, or nothing."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sensor.calibration import write_calibration
from sensor.config import Config, FlowsConfig
from sensor.daemon.reload import load_again, private_networks
from sensor.errors import NettrusionError
from sensor.scoring import MODEL, Scoring
from tests.sensor.known import CLASSIFICATION, RULES, halve_scores
from tests.sensor.test_calibration import MADE

OWN = RULES.replace("1000001", "1000077")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.rules").write_text(OWN)
    (tmp_path / "rules" / "classification.config").write_text(CLASSIFICATION)
    (tmp_path / "sensor.toml").write_text(
        f'[rules]\ndirectory = "{tmp_path}/rules"\n[detector]\nthreshold = 0.5\n[flows]\nmax_flows = 1000\n'
    )
    return tmp_path


def test_what_is_judged_by_is_read_again_and_the_rest_takes_a_restart(folder):
    running = replace(Config(), flows=FlowsConfig(max_flows=500))
    loaded = load_again(running, folder / "sensor.toml", ["stats.interval_s=9"], private_networks)
    assert [rule.sid for rule in loaded.rulebook.rules] == [1000077]
    assert loaded.config.detector.threshold == 0.5
    assert loaded.config.flows.max_flows == 500
    assert loaded.ignored == ("flows.max_flows", "stats.interval_s")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("rules/own.rules", "alert nonsense\n", "own.rules:1"),
        ("sensor.toml", "[rules", "is not TOML"),
        ("sensor.toml", '[detector]\nmodel = "/nowhere.onnx"\n', "nowhere.onnx"),
        ("sensor.toml", "[detector]\nthreshold = 1.0\n", "selftest failed"),
    ],
)
def test_whatever_is_wrong_refuses_all_of_it(folder, name, text, reason, monkeypatch):
    halve_scores(monkeypatch)
    (folder / name).write_text(text)
    with pytest.raises(NettrusionError, match=reason):
        load_again(Config(), folder / "sensor.toml", [], private_networks)


def test_how_to_capture_takes_a_restart_and_what_the_command_line_names_is_not_asked_of_the_file(folder):
    running = replace(Config(), capture=replace(Config().capture, interfaces=("eth0",), source="scapy"))
    assert load_again(running, folder / "sensor.toml", ["capture.ring_mb=128"], private_networks).ignored == (
        "capture.ring_mb",
        "flows.max_flows",
    )


def test_what_the_home_network_is_now_is_asked_of_the_fresh_configuration(folder):
    (folder / "rules" / "own.rules").write_text(OWN.replace("alert ip any any", "alert ip $HOME_NET any"))
    asked: list[str] = []

    def home_net(config: Config) -> str:
        asked.append(config.sensor.home_net)
        return "nonsense"

    with pytest.raises(NettrusionError, match="nonsense"):
        load_again(Config(), folder / "sensor.toml", [], home_net)
    assert asked == ["auto"]


@pytest.fixture
def calibrated(folder: Path) -> Path:
    """Return the folder with a calibration for the sensor's own model, and a configuration that asks for it."""
    sha256 = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    write_calibration(folder / "c.json", replace(MADE, sha256=sha256, threshold=0.25))
    (folder / "sensor.toml").write_text(
        f'[detector]\nthreshold = "calibrated"\ncalibration = "{folder}/c.json"\n'
        f'[rules]\ndirectory = "{folder}/rules"\n'
    )
    return folder


def test_a_reload_takes_up_the_calibration_that_is_there_now(calibrated):
    running = Config()
    loaded = load_again(running, calibrated / "sensor.toml", [], private_networks)
    scoring = Scoring(loaded.config, loaded.detector, loaded.rulebook, lambda kind, lines: None)
    assert scoring.threshold == 0.25 and scoring.basis.startswith("calibrated for 20/day")
    assert loaded.detector.budget_rank(np.array([0.95, 0.5], np.float32)).tolist() == [10_000, 1_000_000]
    made = replace(MADE, sha256=loaded.detector.meta.sha256, threshold=0.2, table=((0.9, 0.5), (0.4, 1.0)))
    write_calibration(calibrated / "c.json", made)
    again = load_again(loaded.config, calibrated / "sensor.toml", [], private_networks)
    scoring.put_in_force(again.config, again.detector, again.rulebook)
    assert scoring.threshold == 0.2
    assert again.detector.budget_rank(np.array([0.95, 0.5], np.float32)).tolist() == [500_000, 1_000_000]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 64}, "cannot be compared; make it again: nettrusion calibrate"),
        ({"threshold": 2}, "damaged"),
        ({"threshold": 1.0}, "selftest failed.*calibrate on traffic without attacks"),
    ],
)
def test_a_calibration_that_cannot_be_used_refuses_the_reload(calibrated, change, reason, monkeypatch):
    halve_scores(monkeypatch)
    path = calibrated / "c.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(NettrusionError, match=reason):
        load_again(Config(), calibrated / "sensor.toml", [], private_networks)
