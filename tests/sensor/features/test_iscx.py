"""The features that records of several tools share, from flows and from the XML's elements."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.features.records import records
from tests.sensor.features.flows import ICMP, begun_backward, conversation, flow, lone_datagram

ISCX = FeatureSet.load("iscx2012")
SECOND = 10**9


def named(matrix: np.ndarray) -> dict[str, float]:
    return dict(zip(ISCX.names, matrix[0].tolist(), strict=True))


def test_a_conversation():
    assert named(ISCX.extract(conversation())) == {
        "duration_s": 0,
        "fwd_pkts": 3,
        "bwd_pkts": 2,
        "fwd_ip_bytes": 314,
        "bwd_ip_bytes": 100,
        "fwd_pkts_per_s": 3,
        "bwd_pkts_per_s": 2,
        "fwd_ip_bytes_per_s": 314,
        "bwd_ip_bytes_per_s": 100,
        "fwd_ip_bytes_per_pkt": pytest.approx(314 / 3),
        "bwd_ip_bytes_per_pkt": 50,
        "bwd_pkts_share": pytest.approx(0.4),
        "bwd_ip_bytes_share": pytest.approx(100 / 414),
        "fwd_syn": 1,
        "fwd_fin": 0,
        "fwd_rst": 0,
        "bwd_syn": 1,
        "bwd_fin": 0,
        "bwd_rst": 1,
        "is_tcp": 1,
        "is_udp": 0,
        "is_icmp": 0,
    }


def test_durations_are_told_in_clock_seconds():
    flows = flow(start_ns=SECOND - 1, end_ns=3 * SECOND, fwd={"pkts": 8, "ip_bytes": 400})
    got = named(ISCX.extract(flows))
    assert got["duration_s"] == 3
    assert (got["fwd_pkts_per_s"], got["fwd_ip_bytes_per_s"]) == (2, 100)


def test_nothing_one_way_is_zero_not_undefined():
    got = named(ISCX.extract(lone_datagram(48)))
    assert (got["bwd_ip_bytes_per_pkt"], got["bwd_pkts_share"], got["is_udp"]) == (0, 0, 1)
    assert set(named(ISCX.extract(flow(proto=0))).values()) == {0}


@pytest.mark.parametrize("number", [ICMP, 58])
def test_both_kinds_of_icmp(number: int):
    assert named(ISCX.extract(flow(proto=number)))["is_icmp"] == 1


def test_flags_are_those_of_tcp_alone():
    assert named(ISCX.extract(flow(proto=17, fwd_flags=0xFF)))["fwd_syn"] == 0


def test_the_xml_gives_the_same_features():
    flows = np.concatenate([conversation(), lone_datagram(), begun_backward(), flow(proto=58)])
    assert (ISCX.from_columns(records(flows)) == ISCX.extract(flows)).all()


def test_real_records(shared_data: Path):
    root = ElementTree.parse(shared_data / "iscx2012" / "real_records_sample.xml").getroot()
    rows = [{element.tag: element.text for element in record} for record in root]
    columns = {name: np.array([row.get(name) for row in rows], object) for name in rows[0]}
    matrix = ISCX.from_columns(columns)
    # A guessed password over SSH: its frames, without 18 bytes each, are IP packets of 60 and 52
    # bytes, the server's third with a greeting of 39.
    ssh = named(matrix[2:])
    assert (ssh["fwd_ip_bytes"], ssh["bwd_ip_bytes"]) == (60 + 4 * 52, 60 + 2 * 52 + 39)
    assert (ssh["fwd_syn"], ssh["fwd_fin"], ssh["fwd_rst"], ssh["is_tcp"]) == (1, 1, 0, 1)
    mdns = named(matrix)
    assert (mdns["duration_s"], mdns["fwd_pkts"], mdns["is_udp"]) == (14 * 60 + 4, 178, 1)
    assert mdns["fwd_syn"] == 0


def test_a_time_that_is_missing_is_zero():
    columns = records(conversation()) | {"stopDateTime": np.array([None], object)}
    got = named(ISCX.from_columns(columns))
    assert (got["duration_s"], got["fwd_pkts_per_s"], got["fwd_pkts"]) == (0, 0, 3)


@pytest.mark.parametrize(
    ("element", "values", "message"),
    [
        ("stopDateTime", None, "no element stopDateTime"),
        ("stopDateTime", ["noon"], "stopDateTime holds something that is no time"),
        ("totalSourceBytes", ["many"], "totalSourceBytes holds something that is no number"),
    ],
)
def test_a_wrong_element_is_named(element: str, values: list[str] | None, message: str):
    columns = dict(records(conversation()))
    del columns[element]
    if values is not None:
        columns[element] = values
    with pytest.raises(NettrusionError, match=message):
        ISCX.from_columns(columns)
