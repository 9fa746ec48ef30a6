"""The writer: everything that waits is scored once, by place, and a reload falls between two batches."""

from pathlib import Path
from typing import Any

from sensor.config import Config
from sensor.daemon.waiting import Batch, Waiting
from sensor.daemon.writer import Writer, together
from sensor.flows import PROFILES, FlowEngine, Framing
from sensor.flows.profile import SECOND_NS
from sensor.scoring import Place, Scoring
from tests.packets import BASE_NS, connection, pcap
from tests.sensor.daemon.parts import LOUD, QUIET, rulebook
from tests.sensor.known import RULES, KeptSink, KnownDetector

HOUR_NS = 3600 * SECOND_NS
HERE, THERE = Place(in_iface="eth0"), Place(in_iface="eth1")


def flows_of(packets: Any) -> Any:
    engine = FlowEngine(PROFILES["wire"])
    content = pcap(packets)
    engine.feed(content, Framing.sniff(content[:4]))
    engine.finish()
    return engine.take()


def writer(folder: Path) -> tuple[Writer, Waiting, KeptSink]:
    sink, waiting = KeptSink(), Waiting(10_000)
    detector: Any = KnownDetector()
    scoring = Scoring(Config(), detector, rulebook(folder), lambda kind, lines: sink.write(lines))
    return Writer(scoring, waiting, list), waiting, sink


def test_batches_are_joined_by_place_in_order():
    loud, quiet = flows_of(LOUD), flows_of(QUIET)
    joined = together([Batch(loud, HERE), Batch(quiet, THERE), Batch(quiet, HERE)])
    assert [place for place, _ in joined] == [HERE, THERE]
    assert joined[0][1].tobytes() == loud.tobytes() + quiet.tobytes()


def test_a_turn_scores_what_waits_and_measures_it(tmp_path):
    made, waiting, sink = writer(tmp_path / "r")
    waiting.put(flows_of(LOUD), HERE)
    waiting.put(flows_of(QUIET), HERE)
    made.turn(0)
    assert [event["in_iface"] for event in sink.events("alert")] == ["eth0"]
    assert made.scoring.said.flows == 2
    assert made.score_latency.count == 2
    assert made.detect_latency.count == 1
    made.turn(0)
    assert made.scoring.said.flows == 2


def test_it_ends_when_nothing_waits_any_more_and_says_the_last_word(tmp_path):
    made, waiting, sink = writer(tmp_path / "r")
    waiting.put(flows_of(LOUD), HERE)
    waiting.put(flows_of(connection("10.0.0.1", "10.0.0.2", (40007, 80), rounds=10)), HERE)
    made.finish()
    made.start()
    made.join(20)
    assert not made.is_alive()
    assert [event["alert"]["metadata"].get("ml_incident_flows") for event in sink.events("alert")] == [None, ["2"]]


def test_what_fails_is_kept_for_the_daemon(tmp_path):
    made, waiting, _ = writer(tmp_path / "r")
    waiting.put(flows_of(LOUD)[["flow_id"]], HERE)
    made.start()
    made.join(20)
    assert made.error is not None


def test_a_reload_is_in_force_after_the_turn(tmp_path):
    made, _, _ = writer(tmp_path / "r")
    fresh = rulebook(tmp_path / "s")
    detector: Any = KnownDetector()
    made.start()
    assert made.put_in_force(Config(), detector, fresh)
    made.finish()
    made.join(20)
    assert made.scoring.rulebook is fresh
    assert made.scoring.detector is detector


def test_the_last_word_on_what_a_reload_ends_is_written(tmp_path):
    made, waiting, sink = writer(tmp_path / "r")
    waiting.put(flows_of(LOUD), HERE)
    waiting.put(flows_of(connection("10.0.0.1", "10.0.0.2", (40007, 80), rounds=10)), HERE)
    made.turn(0)
    fresh = rulebook(tmp_path / "s", RULES.replace("1000001", "1000002"))
    made.start()
    assert made.put_in_force(Config(), made.scoring.detector, fresh)
    first, last = sink.events("alert")
    assert last["alert"]["metadata"]["ml_incident_flows"] == ["2"]
    assert last["flow_id"] == first["flow_id"]
    made.finish()
    made.join(20)


def test_a_writer_that_does_not_answer_takes_nothing_over(tmp_path):
    made, _, _ = writer(tmp_path / "r")
    running, fresh = made.scoring.rulebook, rulebook(tmp_path / "s")
    assert not made.put_in_force(Config(), made.scoring.detector, fresh, timeout_s=0.01)
    made.turn(0)  # what was refused stays refused
    assert made.scoring.rulebook is running


def test_a_clock_that_is_set_back_by_hours_hides_no_attack_of_the_same_source(tmp_path):
    made, waiting, sink = writer(tmp_path / "r")
    engine = FlowEngine(PROFILES["wire"])
    made._clocks_ns = lambda: [engine.now_ns]
    for hours, port in ((2, 40000), (0, 40001), (1, 40002)):
        begin_ns = BASE_NS + hours * HOUR_NS
        content = pcap(connection("10.0.0.1", "10.0.0.2", (port, 80), begin_ns, rounds=10))
        engine.feed(content, Framing.sniff(content[:4]))
        engine.tick(begin_ns + 20 * SECOND_NS)
        waiting.put(engine.take(), HERE)
        made.turn(0)
    assert [event["src_port"] for event in sink.events("alert")] == [40000, 40001, 40002]


def test_a_source_whose_clock_is_behind_repeats_no_alert(tmp_path):
    made, waiting, sink = writer(tmp_path / "r")
    made._clocks_ns = lambda: [BASE_NS - 2 * HOUR_NS, BASE_NS + SECOND_NS]
    for port in (40000, 40001, 40002):
        waiting.put(flows_of(connection("10.0.0.1", "10.0.0.2", (port, 80), rounds=10)), HERE)
        made.turn(0)
    assert [event["src_port"] for event in sink.events("alert")] == [40000]
