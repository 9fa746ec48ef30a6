"""Times, addresses and endpoints as text."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.eve.columns import address, columns, timestamps
from tests.sensor.eve.made import NOON_NS, flow

INT64 = np.iinfo(np.int64)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (NOON_NS, "2026-11-21T12:00:00.000000+0000"),
        (NOON_NS + 123_456_789, "2026-11-21T12:00:00.123456+0000"),
        (0, "1970-01-01T00:00:00.000000+0000"),
        (-1, "1969-12-31T23:59:59.999999+0000"),
        (951_782_400_000_001_000, "2000-02-29T00:00:00.000001+0000"),
        (INT64.max, "2262-04-11T23:47:16.854775+0000"),
        (INT64.min, "1677-09-21T00:12:43.145224+0000"),
    ],
)
def test_a_time_is_written_as_every_reader_wants_it(time_ns, text):
    assert timestamps([time_ns]) == [text]


@given(st.lists(st.integers(0, 2**62), max_size=5))
def test_times_agree_with_the_standard_library(times):
    expected = [
        datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        + f".{time_ns % 10**9 // 1000:06d}+0000"
        for time_ns in times
    ]
    assert timestamps(np.array(times, dtype=np.int64)) == expected


@given(st.ip_addresses())
def test_an_address_is_written_in_full(ip):
    assert address(ip.packed) == ip.exploded


def endpoints(**fields: object) -> dict[str, object]:
    """Return the endpoints of one flow as an object."""
    read: dict[str, object] = json.loads("{" + columns(flow(**fields)).endpoints[0] + "}")
    return read


@pytest.mark.parametrize(("proto", "name"), [(6, "TCP"), (17, "UDP"), (132, "SCTP")])
def test_protocols_with_ports(proto, name):
    assert endpoints(proto=proto) == {
        "src_ip": "192.0.2.7",
        "src_port": 49152,
        "dest_ip": "198.51.100.9",
        "dest_port": 443,
        "proto": name,
    }


@pytest.mark.parametrize(("proto", "name"), [(1, "ICMP"), (58, "IPv6-ICMP")])
def test_icmp_has_type_and_code_instead_of_ports(proto, name):
    assert endpoints(proto=proto, icmp_type=8, icmp_code=0, src="2001:db8::1", dst="::1") == {
        "src_ip": "2001:0db8:0000:0000:0000:0000:0000:0001",
        "dest_ip": "0000:0000:0000:0000:0000:0000:0000:0001",
        "proto": name,
        "icmp_type": 8,
        "icmp_code": 0,
    }


def test_another_protocol_is_a_number_without_ports():
    assert endpoints(proto=47) == {"src_ip": "192.0.2.7", "dest_ip": "198.51.100.9", "proto": "47"}


def test_vlan_ids_stand_outermost_first():
    assert endpoints(vlans=1, vlan=(7, 0))["vlan"] == [7]
    assert endpoints(vlans=2, vlan=(100, 4095))["vlan"] == [100, 4095]
    assert "vlan" not in endpoints()


def test_what_stands_behind_an_ipv4_address_is_not_read():
    made = flow()
    made["src"][:, 4:] = 255
    assert '"src_ip":"192.0.2.7"' in columns(made).endpoints[0]


def test_no_flows_are_no_text():
    empty = columns(flow()[:0])
    assert (empty.flow_id, empty.start, empty.endpoints, empty.traffic, empty.community) == ([], [], [], [], [])
