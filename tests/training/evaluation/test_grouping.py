"""Incidents are those of the sensor's own pipeline, and are counted by what their flows were."""

import json
from contextlib import closing

import numpy as np
import pytest

from sensor.config import Config
from sensor.detector import Detector
from sensor.features import FeatureSet
from sensor.pipeline import Pipeline
from sensor.scoring import MODEL
from sensor.sources import open_capture
from tests.sensor.known import KeptSink
from tests.training import made, recorded
from training.evaluation import evidence, grouping
from training.evaluation.grouping import Words

CLASSES = ("benign", "scan", "bruteforce")


def test_alerts_are_those_of_the_pipeline(repo):
    """The same flows alert, in the same order, as when the sensor reads the capture."""
    folder = repo / "sensor" / "data"
    pipeline = Pipeline.assemble(Config(), KeptSink())
    expected = []
    pipeline.scoring.on_told = lambda flows, rows: expected.extend(flows["flow_id"][rows].tolist())
    with closing(open_capture(folder / "demo.pcap.gz")) as source:
        pipeline.run(source)
    assert len(expected) == pipeline.tally.alerts > 0
    detector = Detector.load(MODEL, {name: FeatureSet.load(name) for name in FeatureSet.available()})
    found = evidence.of_recordings([folder])
    scores = detector.score(found.matrix(detector.feature_set, detector.meta.variant))
    words = Words(scores.class_index, detector.meta.classes, detector.budget_rank(scores.score))
    threshold = float(np.float32(detector.meta.threshold))
    told = grouping.alerts(found, scores.score.astype(np.float64), words, threshold, grouping.shipped())
    assert found.flows is not None
    assert [int(found.flows["flow_id"][one.row]) for one in told] == expected


@pytest.fixture
def day(tmp_path):
    """A made day: a scan of thirty ports, thirty guesses half an hour later, and pages and names all along."""
    recorded.write(tmp_path, "mon", recorded.day(1))
    return evidence.of_recordings([tmp_path])


def words(found):
    index = np.where(found.family == "bruteforce", 2, 1)
    return Words(index, CLASSES, np.zeros(len(found), dtype=np.int64))


def test_flows_of_one_source_are_one_incident(day):
    score = np.where(day.family == "benign", 0.1, 0.9)
    told = grouping.group(day, score, words(day), 0.5, grouping.shipped())
    assert told.found == {"bruteforce": (1, 1, 1), "scan": (1, 1, 1)}
    assert (told.false, told.false_captures, told.beside, told.undecided) == (0, (0, 1), 0, 0)
    assert told.false_by_day == 0
    assert 0 < told.days < 0.1
    assert json.dumps(told.as_dict())


def test_delay_counts_packets_and_seconds_from_the_first_attack_packet(day):
    score = np.where(day.family == "benign", 0.1, 0.9)
    told = grouping.group(day, score, words(day), 0.5, grouping.shipped())
    guessing = told.delay["bruteforce"]
    # A guess has twenty packets 90 ms apart; the report comes with the last ACK.
    assert guessing.seconds == pytest.approx(19 * 0.09)
    # Packets of everything else at that moment count too.
    begun = day.first_ns[day.family == "bruteforce"].min()
    times = day.packet_ns[0]
    assert guessing.packets == ((times >= begun) & (times <= begun + 19 * 90_000_000)).sum() > 20
    assert (guessing.captures, guessing.at_end) == (1, 0)


def test_only_the_last_guess_is_seen(day):
    first = day.first_ns[(day.family == "bruteforce")].min()
    last = day.first_ns[(day.family == "bruteforce")].max()
    score = np.where((day.family == "bruteforce") & (day.first_ns == last), 0.9, 0.1)
    told = grouping.group(day, score, words(day), 0.5, grouping.shipped())
    assert told.found == {"bruteforce": (1, 1, 1), "scan": (1, 0, 0)}
    assert told.delay["bruteforce"].seconds == pytest.approx((last - first) / 1e9 + 19 * 0.09)
    assert "scan" not in told.delay


def test_false_alerts_are_counted_by_capture_and_day(tmp_path):
    for number in range(3):
        recorded.write(tmp_path, f"day{number}", recorded.day(number, attacks=5 * (number == 0)))
    found = evidence.of_recordings([tmp_path])
    assert found.flows is not None
    score = np.where((found.capture == 1) & (found.flows["dst_port"] == 443), 0.9, 0.1)
    told = grouping.group(found, score, words(found), 0.5, grouping.shipped())
    # A scan is grouped by its source: at least one for each of the six hosts.
    assert told.false_captures == (1, 3)
    assert 6 <= told.false < (score > 0.5).sum()
    assert told.false_by_capture == told.false / 3
    assert told.false_by_day == pytest.approx(told.false / told.days)


def test_the_threshold_is_reached_not_passed(day):
    score = np.where(day.family == "scan", 0.5, 0.1)
    assert grouping.group(day, score, words(day), 0.5, grouping.shipped()).found["scan"][2] == 1
    assert grouping.group(day, score, words(day), 0.51, grouping.shipped()).found["scan"][2] == 0


def test_rows_without_flow_records_cannot_be_grouped():
    table = made.table(10)
    found = evidence.of_tables("rows", {("cic2022", "cns22"): table})
    with pytest.raises(ValueError, match="no flow records"):
        grouping.group(found, np.zeros(len(found)), words(found), 0.5, grouping.shipped())
