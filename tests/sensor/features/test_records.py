"""Flows as elements of the ISCXIDS2012 XML."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sensor.features import FeatureSet
from sensor.features.records import records
from tests.sensor.features.flows import UDP, conversation, flow


def test_a_conversation():
    columns: dict[str, Any] = {name: next(iter(values)) for name, values in records(conversation()).items()}
    assert columns["source"] == "192.168.0.7"
    assert columns["destinationPort"] == 80
    assert columns["protocolName"] == "tcp_ip"
    assert columns["totalSourceBytes"] == 314 + 3 * 18
    assert columns["totalDestinationPackets"] == 2
    assert columns["sourceTCPFlagsDescription"] == "S,P,A"
    assert columns["destinationTCPFlagsDescription"] == "S,R,A"
    assert columns["startDateTime"] == columns["stopDateTime"] == "1970-01-01T00:00:01"


def test_no_flags_without_tcp():
    columns = records(flow(proto=UDP, fwd_flags=2))
    assert columns["sourceTCPFlagsDescription"] == ["N/A"]
    assert records(flow())["destinationTCPFlagsDescription"] == ["N/A"]
    assert records(flow(proto=99))["protocolName"] == ["ip"]


def test_headers_are_elements_of_the_xml_or_features(shared_data: Path):
    root = ElementTree.parse(shared_data / "iscx2012" / "real_records_sample.xml").getroot()
    elements = {element.tag for record in root for element in record}
    assert set(records(flow())) <= elements | set(FeatureSet.load("iscx2012").names)
