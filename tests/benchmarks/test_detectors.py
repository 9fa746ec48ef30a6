"""Bundles beside each other, on the flows of one capture, each by its own feature set."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import detectors
from sensor.scoring import MODEL
from tests.packets import connection, pcap


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    packets = [one for port in range(30) for one in connection("10.0.0.1", "10.0.0.2", (2000 + port, 80))]
    path = tmp_path / "some.pcap"
    path.write_bytes(pcap(sorted(packets, key=lambda one: one.time_ns)))
    return path


def test_records_are_the_flows_of_the_capture_and_not_more_than_asked_for(capture: Path):
    assert len(set(detectors.records(capture)["flow_id"])) == 30
    assert len(detectors.records(capture, 7)) == 7


def test_a_line_for_each_bundle_and_the_first_is_once_itself(capture: Path):
    flows = detectors.records(capture)
    heading, first, second, last = detectors.lines([MODEL, MODEL], flows, 2)
    assert heading.split()[-3:] == ["times", "the", "bundled"]
    assert first.startswith("1 ") and second.startswith("2 ")
    assert first.split()[-4:] == ["1.00", "1.00", "-", "1.00"]
    assert last == f"{len(flows)} flows, 2 turns"


def test_features_and_scores_add_up(capture: Path):
    class Detector:
        class meta:
            variant = "v"

        class feature_set:
            asked: tuple[int, ...] = ()

            @classmethod
            def extract(cls, flows, variant):
                cls.asked += (len(flows),)
                assert variant == "v"
                return flows

        def score(self, rows):
            return rows

    flows = np.resize(detectors.records(capture), 2500)
    figures = detectors.once(Detector(), flows)  # type: ignore[arg-type]
    assert Detector.feature_set.asked == (1024, 1024, 452)
    assert figures["sum"] == pytest.approx(figures["features"] + figures["scores"])


def test_a_capture_without_flows_is_told(tmp_path: Path):
    path = tmp_path / "none.pcap"
    path.write_bytes(pcap([]))
    with pytest.raises(SystemExit, match="no flow to score"):
        detectors.lines([MODEL], detectors.records(path), 1)
