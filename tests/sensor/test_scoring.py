"""Finished flows to events: thresholds, places, a change of model and rules between two batches."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensor.config import Config, DetectorConfig, OutputConfig
from sensor.errors import NettrusionError
from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.rulebook import Rulebook
from sensor.scoring import Place, Scoring, load_rulebook, millionths, model_mark, threshold, threshold_basis
from tests.packets import BASE_NS, Timed, connection, pcap
from tests.sensor.known import CLASSIFICATION, RULES, KeptSink, KnownDetector
from tests.sensor.test_calibration import MADE

WAYS: tuple[str | float, ...] = ("model", "budget", 0.5)

LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)
QUIET = connection("10.0.0.3", "10.0.0.2", (40001, 80), rounds=1)


@pytest.fixture
def rulebook(tmp_path: Path) -> Rulebook:
    (tmp_path / "a.rules").write_text(RULES)
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    return Rulebook.load(tmp_path, {})


def scoring(rulebook: Rulebook, **sections: Any) -> tuple[Scoring, KeptSink]:
    sink = KeptSink()
    made = Scoring(
        replace(Config(), **sections),
        KnownDetector(),  # type: ignore[arg-type]
        rulebook,
        lambda kind, lines: sink.write(lines),
    )
    return made, sink


def flows_of(packets: list[Timed]) -> Any:
    engine = FlowEngine(PROFILES["wire"])
    content = pcap(packets)
    engine.feed(content, Framing.sniff(content[:4]))
    engine.finish()
    return engine.take()


def test_events_say_where_a_flow_was_seen(rulebook):
    made, sink = scoring(rulebook)
    made.score(flows_of(LOUD), Place(in_iface="eth7"))
    (alert,) = sink.events("alert")
    assert alert["in_iface"] == "eth7"
    assert "pcap_filename" not in alert


def test_the_last_word_on_an_incident_names_the_interface_of_its_alert(rulebook):
    made, sink = scoring(rulebook)
    here, there = Place(in_iface="eth0"), Place(in_iface="eth1")
    other = connection("10.9.0.1", "10.9.0.2", (40000, 80), rounds=10)
    made.score(flows_of(LOUD), here)
    made.score(flows_of(other), there)
    made.score(flows_of(connection("10.0.0.1", "10.0.0.2", (40009, 80), rounds=10)), here)
    made.score(flows_of(connection("10.9.0.1", "10.9.0.2", (40009, 80), rounds=10)), there)
    made.close_incidents()
    told = [(event["src_ip"], event["in_iface"]) for event in sink.events("alert")]
    assert told == [("10.0.0.1", "eth0"), ("10.9.0.1", "eth1")] * 2


def test_what_was_scored_and_told_is_counted(rulebook):
    made, _ = scoring(rulebook)
    made.score(flows_of([*LOUD, *QUIET]), Place())
    assert (made.said.flows, made.said.above, made.said.alerts) == (2, 1, 1)
    assert made.said.classes == {"dos": 1}


def test_an_update_comes_when_time_has_passed_without_a_flow(rulebook):
    made, sink = scoring(rulebook)
    made.score(flows_of(LOUD), Place())
    made.score(flows_of(connection("10.0.0.1", "10.0.0.2", (40009, 80), rounds=10)), Place())
    made.tick(BASE_NS + 3600 * 10**9)
    assert [event["alert"]["metadata"].get("ml_incident_flows") for event in sink.events("alert")][-1] == ["2"]
    assert made.said.updates == len(sink.events("alert")) - 1


def test_another_threshold_is_in_force_from_the_next_batch_on(rulebook):
    made, sink = scoring(rulebook, output=OutputConfig(flow_events=True))
    made.score(flows_of(LOUD), Place())
    deaf = replace(made.config, detector=DetectorConfig(threshold=0.99))
    made.put_in_force(deaf, made.detector, made.rulebook)
    made.score(flows_of(connection("10.0.0.7", "10.0.0.2", (40000, 80), rounds=10)), Place())
    assert len(sink.events("alert")) == 1
    assert len(sink.events("flow")) == 2
    assert made.said.flows == 2


@pytest.mark.parametrize(
    ("wanted", "budget", "score"),
    [
        ("model", 100, 0.9),
        (0.25, 100, 0.25),
        ("budget", 100, 0.9),
        ("budget", 99, 0.99),
        ("budget", 10_000, 0.5),
        ("budget", 0, 0.99),
        ("budget", 1_000_000, 0.5),
    ],
)
def test_a_threshold_is_a_number_the_model_s_or_a_budget_s(wanted, budget, score):
    config = replace(Config(), detector=DetectorConfig(threshold=wanted, budget_per_million=float(budget)))
    assert threshold(config, KnownDetector()) == score  # type: ignore[arg-type]


def test_a_calibrated_threshold_is_the_operator_s_own_and_says_so():
    config = replace(Config(), detector=DetectorConfig(threshold="calibrated"))
    detector: Any = KnownDetector()
    detector.calibration = MADE
    assert threshold(config, detector) == MADE.threshold
    assert threshold_basis(config, detector) == "calibrated for 20/day on 24.0 h of traffic until 2026-11-22"
    detector.calibration = None
    with pytest.raises(NettrusionError, match="without a calibration"):
        threshold(config, detector)
    basis = [threshold_basis(replace(config, detector=DetectorConfig(threshold=one)), detector) for one in WAYS]
    assert basis == ["the model's", "for 100 benign flows in a million", "as configured"]


def test_scores_in_events_are_as_fine_as_a_millionth():
    assert millionths(np.array([0, 4e-7, 0.9999996, 1], np.float32)).tolist() == [0, 0, 1_000_000, 1_000_000]
    assert model_mark("00000007" + "f" * 56) == 7


def test_the_configured_networks_and_variables_reach_the_rules(tmp_path):
    (tmp_path / "a.rules").write_text(
        'alert ip $EXTERNAL_NET any -> $WEB any (msg:"x"; flowbits:isset,ml.dos; priority:3; sid:1000002; rev:1;)\n'
    )
    config = Config()
    rules = replace(config.rules, directory=str(tmp_path), variables={"WEB": "10.0.0.2"})
    assert load_rulebook(replace(config, rules=rules))
    with pytest.raises(NettrusionError, match="WEB"):
        load_rulebook(replace(config, rules=replace(rules, variables={})))
