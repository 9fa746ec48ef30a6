"""Captures through every noun of the pipeline, with a detector whose word is known beforehand."""

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sensor.config import Config, OutputConfig, SensorConfig, StatsConfig
from sensor.errors import NettrusionError
from sensor.pipeline import Pipeline
from sensor.rulebook import Rulebook
from sensor.sources.stream import Begun, Stream, read_plain
from tests.packets import BASE_NS, Timed, connection, ethernet, pcap, udp
from tests.sensor.known import CLASSIFICATION, RULES, KeptSink, KnownDetector


@pytest.fixture
def rulebook(tmp_path: Path) -> Rulebook:
    (tmp_path / "a.rules").write_text(RULES)
    (tmp_path / "classification.config").write_text(CLASSIFICATION)
    return Rulebook.load(tmp_path, {"HOME_NET": "any", "EXTERNAL_NET": "any"})


def pipeline(rulebook: Rulebook, **sections: Any) -> tuple[Pipeline, KeptSink]:
    sink = KeptSink()
    config = replace(Config(), **sections)
    return Pipeline(config, KnownDetector(), rulebook, sink), sink  # type: ignore[arg-type]


def source(content: bytes, name: str = "a.pcap") -> Stream:
    return Stream(Begun(io.BytesIO(content)), name, len(content), read_plain)


LOUD = connection("10.0.0.1", "10.0.0.2", (40000, 80), rounds=10)
QUIET = connection("10.0.0.3", "10.0.0.2", (40001, 80), rounds=1)
BOTH = sorted(LOUD + QUIET, key=lambda one: one.time_ns)
ARP = Timed(BASE_NS, ethernet(bytes(28), 0x0806))
FLOWS = OutputConfig(flow_events=True)


def test_the_loud_flow_alerts_and_the_quiet_one_does_not(rulebook):
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap(BOTH)))
    joined.finish()
    (alert,) = sink.events("alert")
    assert alert["alert"]["signature_id"] == 1000001
    assert (alert["src_ip"], alert["dest_port"]) == ("10.0.0.1", 80)
    ints = {"ml_score": 950, "ml_score_ppm": 950_000, "ml_class": 1, "ml_model": 0}
    assert alert["metadata"] == {"flowbits": ["ml.dos"], "flowints": ints}
    assert alert["alert"]["metadata"]["ml_model"] == ["known 1"]
    assert alert["alert"]["metadata"]["ml_threshold"] == ["0.9"]
    assert len(alert["alert"]["metadata"]["ml_features"]) == 3
    assert alert["pcap_filename"] == "a.pcap"
    assert sink.events("flow") == []
    assert joined.tally.alerts == 1
    assert joined.tally.counters["packets"] == len(BOTH)
    assert joined.tally.counters["flows"] == 2


def test_every_flow_is_written_when_asked_and_says_whether_it_alerted(rulebook):
    joined, sink = pipeline(rulebook, output=FLOWS)
    joined.run(source(pcap(BOTH)))
    flows = {event["src_ip"]: event for event in sink.events("flow")}
    (alert,) = sink.events("alert")
    assert {address: event["flow"]["alerted"] for address, event in flows.items()} == {
        "10.0.0.1": True,
        "10.0.0.3": False,
    }
    assert flows["10.0.0.1"]["flow_id"] == alert["flow_id"]


def test_an_incident_of_many_flows_is_one_alert_and_one_last_word(rulebook):
    loud = [connection("10.0.0.1", "10.0.0.2", (port, 80), BASE_NS + port * 10**8, 10) for port in range(5)]
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap(sorted((one for flow in loud for one in flow), key=lambda one: one.time_ns))))
    first, last = sink.events("alert")
    assert "ml_incident_flows" not in first["alert"]["metadata"]
    assert last["alert"]["metadata"]["ml_incident_flows"] == ["5"]
    assert last["alert"]["metadata"]["ml_class"] == ["dos"]
    assert last["flow_id"] == first["flow_id"]
    assert last["timestamp"] > first["timestamp"]
    assert (joined.tally.alerts, joined.tally.updates) == (1, 1)


def test_alerts_are_handed_to_whoever_watches(rulebook):
    joined, sink = pipeline(rulebook)
    seen: list[Any] = []
    joined.on_alerts = seen.extend
    joined.run(source(pcap(BOTH)))
    assert seen == sink.events("alert")


def test_a_sensor_without_a_name_has_that_of_its_machine(rulebook):
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap(BOTH)))
    named, other = pipeline(rulebook, sensor=SensorConfig(name="gw1"))
    named.run(source(pcap(BOTH)))
    assert [kept.events("alert")[0]["host"] for kept in (sink, other)] == [os.uname().nodename, "gw1"]


def test_two_runs_write_the_same_bytes(rulebook, tmp_path):
    first, one = pipeline(rulebook, output=FLOWS)
    first.run(source(pcap(BOTH)))
    first.finish()
    again = Rulebook.load(tmp_path, {})
    second, two = pipeline(again, output=FLOWS)
    second.run(source(pcap(BOTH)))
    second.finish()
    assert one.lines == two.lines


@pytest.mark.parametrize("step", [1, 7, 100, 100_000])
def test_the_pieces_in_which_a_capture_comes_do_not_matter(rulebook, tmp_path, step):
    content = pcap(BOTH)
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    whole, one = pipeline(rulebook, output=FLOWS)
    whole.run(source(content))
    parted, two = pipeline(Rulebook.load(tmp_path, {}), output=FLOWS)
    parted.run(Stream(Begun(io.BytesIO()), "a.pcap", None, lambda reader: iter(pieces)))
    assert one.lines == two.lines
    assert parted.tally.faults == []


def test_many_flows_are_scored_in_batches_while_reading(rulebook):
    packets = [
        Timed(BASE_NS + number * 10**8, udp(f"10.{number >> 8 & 255}.{number & 255}.1", "10.0.0.2", (53, 53)))
        for number in range(9000)
    ]
    joined, sink = pipeline(rulebook, output=FLOWS)
    joined.run(source(pcap(packets)))
    detector: Any = joined.scoring.detector
    assert len(sink.events("flow")) == sum(detector.batches) == 9000
    assert len(detector.batches) > 2
    assert max(detector.batches) <= 4096 + 64


def test_the_end_of_one_capture_ends_its_flows(rulebook):
    half = len(LOUD) // 2
    joined, sink = pipeline(rulebook, output=FLOWS)
    joined.run(source(pcap(LOUD[:half]), "a.pcap"))
    joined.run(source(pcap(LOUD[half:]), "b.pcap"))
    assert [event["pcap_filename"] for event in sink.events("flow")] == ["a.pcap", "b.pcap"]
    assert joined.tally.captures == 2
    assert joined.tally.counters["packets"] == len(LOUD)


def test_a_capture_cut_short_gives_its_whole_packets_and_a_warning(rulebook):
    joined, sink = pipeline(rulebook, output=FLOWS)
    joined.run(source(pcap(LOUD)[:-30]))
    assert joined.tally.counters["packets"] == len(LOUD) - 1
    assert len(sink.events("flow")) == 1
    (fault,) = joined.tally.faults
    assert fault.startswith("a.pcap: is cut short")
    assert f"its {len(LOUD) - 1} whole packets were read" in fault


def test_damage_ends_a_capture_with_a_warning(rulebook):
    joined, _ = pipeline(rulebook)
    joined.run(source(pcap(LOUD) + b"\xff" * 100))
    assert joined.tally.counters["packets"] == len(LOUD)
    (fault,) = joined.tally.faults
    assert "is damaged" in fault


def test_a_fault_of_the_compressed_file_is_told(rulebook):
    joined, _ = pipeline(rulebook)
    cut = source(pcap(LOUD))
    cut.fault = "the gzip data ends early"
    joined.run(cut)
    assert joined.tally.faults == [f"a.pcap: the gzip data ends early; its {len(LOUD)} whole packets were read"]


@pytest.mark.parametrize("content", [b"", b"abc", b"no capture at all", bytes(100)])
def test_what_is_no_capture_is_an_error_that_names_it(rulebook, content):
    joined, _ = pipeline(rulebook)
    with pytest.raises(NettrusionError, match=r"a\.pcap: .*; give a pcap or pcapng file"):
        joined.run(source(content))


def test_a_capture_without_packets_is_no_error_and_no_event(rulebook):
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap([])))
    joined.finish()
    assert sink.lines == []
    assert joined.tally.faults == []


def test_the_closing_stats_have_all_counts_and_packet_time(rulebook):
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap([ARP, *BOTH])))
    joined.finish()
    (event,) = sink.events("stats")
    stats = event["stats"]
    assert stats["decoder"]["pkts"] == len(BOTH) + 1
    assert stats["decoder"]["arp"] == 1
    assert stats["flow"]["total"] == 2
    assert stats["flow"]["active"] == 0
    assert stats["detect"]["alert"] == 1
    assert event["timestamp"].startswith("2023-11-14T22:13:20.")


def test_stats_follow_packet_time_when_asked(rulebook):
    packets = [Timed(BASE_NS + second * 10**9, udp("10.0.0.1", "10.0.0.2", (1, 2))) for second in range(100)]
    joined, sink = pipeline(rulebook, stats=StatsConfig(interval_s=10))
    content = pcap(packets)
    pieces = [content[at : at + 580] for at in range(0, len(content), 580)]
    joined.run(Stream(Begun(io.BytesIO()), "a", None, lambda reader: iter(pieces)))
    joined.finish()
    stats = sink.events("stats")
    assert stats[-1]["stats"]["decoder"]["pkts"] == 100
    assert [event["stats"]["uptime"] for event in stats] == sorted(event["stats"]["uptime"] for event in stats)


def test_stats_can_be_switched_off(rulebook):
    joined, sink = pipeline(rulebook, stats=StatsConfig(enabled=False, interval_s=1))
    joined.run(source(pcap(BOTH)))
    joined.finish()
    assert sink.events("stats") == []


def test_a_packet_that_cannot_be_decoded_is_an_anomaly(rulebook):
    joined, sink = pipeline(rulebook)
    joined.run(source(pcap([Timed(BASE_NS, ethernet(b"\x45"))])))
    (event,) = sink.events("anomaly")
    assert event["anomaly"] == {"type": "decode", "event": "decoder.ipv4.pkt_too_small"}
