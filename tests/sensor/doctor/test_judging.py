"""The model, the rules, and the run-time."""

from importlib.metadata import PackageNotFoundError

import pytest

from sensor.config import Config
from sensor.doctor import judging
from sensor.doctor.judging import check_model, check_rules, check_runtime
from sensor.scoring import load_detector
from tests.sensor.doctor.made import found, only, scene
from tests.sensor.known import CLASSIFICATION, RULES


@pytest.mark.parametrize(
    ("version", "environ", "outcome"),
    [
        ("1.28.0", {}, "ok"),
        ("1.28.0", {"ORT_DISABLE_TELEMETRY": "0"}, "warning"),
        ("1.29.0", {}, "warning"),
        ("2.0", {}, "warning"),
    ],
)
def test_a_runtime_that_keeps_to_itself(tmp_path, monkeypatch, version, environ, outcome):
    monkeypatch.setattr(judging, "version", lambda name: version)
    assert only(check_runtime, scene(tmp_path, environ=environ)).outcome == outcome


def test_no_runtime(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(judging, "version", missing)
    assert only(check_runtime, scene(tmp_path)).outcome == "fail"


def test_the_model_that_is_shipped(tmp_path):
    finding = found(check_model, scene(tmp_path))["model"]
    assert finding.outcome == "ok"
    meta = load_detector(Config()).meta
    assert f"{meta.name} {meta.version}, sha256 {meta.sha256[:16]}, " in finding.found
    assert f"features {meta.feature_set} {meta.feature_set_version}, no signature asked for" in finding.found


def test_a_model_without_the_demanded_signature(tmp_path):
    finding = only(check_model, scene(tmp_path, f"detector.signers={tmp_path / 'signers'}"))
    assert finding.outcome == "fail"
    assert "allowed signers" in finding.found


def test_rules(tmp_path):
    assert only(check_rules, scene(tmp_path)).outcome == "ok"
    finding = only(check_rules, scene(tmp_path, f"rules.directory={tmp_path / 'none'}"))
    assert finding.outcome == "fail"
    assert finding.remedy == f"all of them: nettrusion rules check {tmp_path / 'none'}"


@pytest.mark.parametrize(
    ("text", "limits", "outcome"),
    [
        (RULES, "", "ok"),
        (RULES, "suppress gen_id 1, sig_id 5\n", "warning"),
        ("# none\n", "", "fail"),
        ("alert tcp any any\n", "", "fail"),
    ],
)
def test_own_rules(tmp_path, text, limits, outcome):
    (tmp_path / "threshold.config").write_text(limits)
    (tmp_path / "a.rules").write_text(text)
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    assert only(check_rules, scene(tmp_path, f"rules.directory={tmp_path}")).outcome == outcome
