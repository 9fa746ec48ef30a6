"""A reload: model, rules and thresholds from the file as it is now, or nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from sensor.config import Config, FlowsConfig
from sensor.daemon.reload import load_again, private_networks
from sensor.errors import NettrusionError
from tests.sensor.known import CLASSIFICATION, RULES

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
def test_whatever_is_wrong_refuses_all_of_it(folder, name, text, reason):
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
