"""Names of anomalies, and how often they may be said."""

import json
from pathlib import Path

import pytest

from sensor.eve import ANOMALIES, AnomalyLimiter
from sensor.flows import SKIP_REASONS

SECOND_NS = 10**9


@pytest.mark.parametrize("version", ["7", "8", "9dev"])
def test_every_name_is_in_suricatas_list(shared_eve: Path, version: str):
    schema = json.loads((shared_eve / f"suricata-{version}.schema.json").read_bytes())
    decoder = schema["properties"]["stats"]["properties"]["decoder"]["properties"]
    for event in ANOMALIES.values():
        place = event.removeprefix("decoder.").split(".")
        level = decoder if len(place) == 1 else decoder["event"]["properties"][place[0]]["properties"]
        assert place[-1] in level, event


def test_every_reason_is_one_of_the_engines():
    assert set(SKIP_REASONS) >= ANOMALIES.keys()


def test_what_is_no_fault_of_the_traffic_is_no_anomaly():
    assert not ANOMALIES.keys() & {"arp", "llc", "unsupported_link", "wlan_protected", "ignored_ipv6"}


def test_a_reason_speaks_once_an_interval_and_only_when_it_grew():
    limiter = AnomalyLimiter(interval_ns=60 * SECOND_NS)
    assert limiter.due({"truncated_ip": 0, "arp": 9}, 0) == []
    assert limiter.due({"truncated_ip": 2, "arp": 9}, 5 * SECOND_NS) == ["truncated_ip"]
    assert limiter.due({"truncated_ip": 3, "bad_udp_header": 1}, 64 * SECOND_NS) == ["bad_udp_header"]
    assert limiter.due({"truncated_ip": 3, "bad_udp_header": 1}, 65 * SECOND_NS) == ["truncated_ip"]
    assert limiter.due({"truncated_ip": 3, "bad_udp_header": 1}, 999 * SECOND_NS) == []


def test_a_capture_from_an_earlier_day_has_its_own_clock():
    limiter = AnomalyLimiter()
    assert limiter.due({"truncated_ip": 1}, 10**18) == ["truncated_ip"]
    assert limiter.due({"truncated_ip": 2}, 10**17) == ["truncated_ip"]


def test_reasons_come_sorted():
    counters = dict.fromkeys(ANOMALIES, 1)
    assert AnomalyLimiter().due(counters, 0) == sorted(ANOMALIES)
