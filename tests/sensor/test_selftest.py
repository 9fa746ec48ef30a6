"""The selftest tells a model that finds nothing from rules that say nothing, and touches no real output."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sensor.pipeline
from sensor import selftest
from sensor.config import Config, DetectorConfig, FlowsConfig, OutputConfig, RulesConfig, StatsConfig
from sensor.errors import NettrusionError
from sensor.scoring import load_rulebook
from sensor.selftest import run_selftest
from tests.packets import connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES, KnownDetector


def rules(folder: Path, text: str, thresholds: str = "") -> Config:
    """Write a folder of rules and return a configuration that names it."""
    folder.mkdir()
    (folder / "a.rules").write_text(text)
    (folder / "classification.config").write_text(CLASSIFICATION)
    (folder / "threshold.config").write_text(thresholds)
    return Config(rules=RulesConfig(directory=str(folder)))


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the shipped capture by one loud and one quiet connection, and the model by a known one."""
    monkeypatch.setattr(sensor.pipeline, "load_detector", lambda config: KnownDetector())
    monkeypatch.setattr(selftest, "DATA", tmp_path)
    loud = connection("10.0.0.1", "10.0.0.2", (1, 2), rounds=10)
    quiet = connection("10.0.0.3", "10.0.0.2", (1, 2), rounds=1)
    (tmp_path / "demo.pcap").write_bytes(pcap(sorted(loud + quiet, key=lambda one: one.time_ns)))
    return tmp_path


def test_what_is_shipped_passes_and_writes_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run_selftest(Config(stats=StatsConfig(path="stats.json", interval_s=1)))
    assert result.passed
    assert not result.quiet
    assert result.above >= result.alerts > 0
    assert result.sentence.endswith(f"{result.alerts} alerts")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("profile", ["wire", "cns22", "fork", "legacy"])
def test_it_runs_with_the_configured_flow_rules(profile):
    flows = FlowsConfig(profile=profile, max_flows=64)
    result = run_selftest(Config(flows=flows, output=OutputConfig(flow_events=True)))
    assert result.passed, result.sentence
    assert result.flows > 0


def test_a_threshold_that_is_too_high_is_told_with_the_highest_score(made_up):
    config = rules(made_up / "r", RULES)
    result = run_selftest(replace(config, detector=DetectorConfig(threshold=0.99)))
    assert not result.passed
    assert "none of 2 flows" in result.sentence
    assert "reaches the threshold 0.99: the highest score is 0.950; lower detector.threshold = 0.99" in result.sentence


class Deaf(KnownDetector):
    """Finds nothing."""

    def score(self, features):
        """Score everything low."""
        scores = super().score(features)
        return replace(scores, score=scores.score * 0 + np.float32(0.125))


@pytest.mark.parametrize(
    ("model", "says"), [("m.onnx", "the model m.onnx does not know these attacks"), ("", "install it again")]
)
def test_a_model_that_knows_no_attack_is_told(made_up, monkeypatch, model, says):
    monkeypatch.setattr(sensor.pipeline, "load_detector", lambda config: Deaf())
    result = run_selftest(replace(rules(made_up / "r", RULES), detector=DetectorConfig(model=model)))
    assert not result.passed
    assert "the highest score is 0.125" in result.sentence
    assert says in result.sentence


def test_own_rules_that_match_nothing_pass_and_say_so(made_up):
    result = run_selftest(rules(made_up / "r", RULES.replace("ml.dos", "ml.web")))
    assert result.passed
    assert result.quiet
    assert result.above >= 1
    assert result.alerts == 0
    assert f"scored records reach the threshold, and the rules of {made_up / 'r'} let none" in result.sentence
    assert "(no rule matches)" in result.sentence


def test_own_suppression_passes_and_says_so(made_up):
    result = run_selftest(rules(made_up / "r", RULES, "suppress gen_id 1, sig_id 1000001\n"))
    assert result.quiet
    assert "times suppressed by threshold.config" in result.sentence


def test_a_folder_without_a_rule_fails(made_up):
    result = run_selftest(rules(made_up / "r", "# nothing\n"))
    assert not result.passed
    assert f"{made_up / 'r'} has no rule" in result.sentence


def test_the_sensors_own_rules_must_alert(made_up, monkeypatch):
    book = load_rulebook(rules(made_up / "r", RULES.replace("ml.dos", "ml.web")))
    monkeypatch.setattr(sensor.pipeline, "load_rulebook", lambda config: book)
    result = run_selftest(Config())
    assert not result.passed
    assert "the sensor's own rules let none of them alert" in result.sentence


def test_a_damaged_or_missing_capture_fails(made_up):
    config = rules(made_up / "r", RULES)
    capture = made_up / "demo.pcap"
    capture.write_bytes(capture.read_bytes()[:-1])
    assert "was not read whole" in run_selftest(config).sentence
    capture.unlink()
    assert "the bundled capture is missing" in run_selftest(config).sentence
    assert not run_selftest(config).passed


def test_it_does_not_go_on_forever(monkeypatch):
    monkeypatch.setattr(selftest, "LIMIT_S", -1.0)
    result = run_selftest(Config())
    assert not result.passed
    assert "was not scored within -1 s" in result.sentence


def test_what_cannot_be_loaded_is_raised(tmp_path):
    with pytest.raises(NettrusionError, match=r"no\.onnx"):
        run_selftest(Config(detector=DetectorConfig(model=str(tmp_path / "no.onnx"))))
