"""A replayed capture gives the sensor's own reports, and the packet at which each was made."""

from contextlib import closing

import numpy as np
import pytest

from sensor.assembly import Assembly, profile
from sensor.config import Config
from sensor.errors import NettrusionError
from sensor.flows import FlowEngine, Reason
from sensor.sources import open_capture
from tests.training import recorded
from training.datasets.recordings import assemble
from training.evaluation.replay import replay


def by_the_sensor(path):
    """Return the reports of a capture as the pipeline reads it, in windows."""
    engine = FlowEngine(profile(Config().flows))
    taken = []
    with closing(open_capture(path)) as source:
        assembly = Assembly(source, engine)
        while assembly.step():
            taken.append(engine.take())
    while engine.drain():
        taken.append(engine.take())
    return np.concatenate([*taken, engine.take()])


def test_reports_and_their_order_are_those_of_the_sensor(repo):
    path = repo / "sensor" / "data" / "demo.pcap.gz"
    found = replay(path)
    assert found.flows.tobytes() == by_the_sensor(path).tobytes()
    assert (found.flows["reason"] == Reason.SNAPSHOT).any()
    assert (found.flows["reason"] != Reason.SNAPSHOT).sum() == len(assemble(path))


def test_a_report_is_made_by_the_packet_that_ends_the_flow(tmp_path):
    talk = recorded.Talk(recorded.START_US, "10.0.0.1", 4000, "10.0.0.2", 80, "benign", sizes=(100, 900), gap_us=1000)
    later = recorded.Talk(talk.start_us + 600_000_000, "10.0.0.3", 4001, "10.0.0.2", 53, "benign", udp=True)
    recorded.write(tmp_path, "day", [talk, later])
    found = replay(tmp_path / "day.pcap.gz")
    assert len(found.packet_ns) == 10
    closed, waited, last = found.flows
    # Eight packets: the handshake, two of data, FIN, FIN, ACK; the last closes it, and the next ends its waiting.
    assert (closed["reason"], found.packet[0]) == (Reason.SNAPSHOT, 7)
    assert (waited["reason"], found.packet[1]) == (Reason.FIN, 8)
    assert found.time_ns[1] == found.packet_ns[8] == later.start_us * 1000
    assert (last["proto"], found.packet[2]) == (17, 9)


def test_a_capture_that_is_cut_short_has_its_whole_packets(tmp_path, repo):
    import gzip

    whole = gzip.decompress((repo / "sensor" / "data" / "demo.pcap.gz").read_bytes())
    (tmp_path / "cut.pcap").write_bytes(whole[: len(whole) // 2 + 7])
    (tmp_path / "head.pcap").write_bytes(whole[:24])
    found = replay(tmp_path / "cut.pcap")
    assert 0 < len(found.flows) < len(replay(repo / "sensor" / "data" / "demo.pcap.gz").flows)
    assert len(replay(tmp_path / "head.pcap").flows) == 0
    (tmp_path / "no.pcap").write_bytes(b"no capture at all, by far")
    with pytest.raises(NettrusionError, match=r"no\.pcap"):
        replay(tmp_path / "no.pcap")
