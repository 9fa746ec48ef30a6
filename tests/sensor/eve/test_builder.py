"""Every kind of event against Suricata's own schemas, from whatever an engine may hand over."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.detector import Reason
from sensor.eve import ANOMALIES, EventBuilder, Judgement, Reading, encode
from sensor.flows import COUNTERS
from sensor.flows import Reason as Ended
from tests.sensor.eve.made import COUNTS, any_scored, flow, scored, verdict
from tests.sensor.eve.test_alert import SLOW

BUILDERS = [
    EventBuilder(),
    EventBuilder(sensor="gw1", model="m 1", threshold=0.93, in_iface="eth0"),
    EventBuilder(sensor='g"w\n1', model="m", pcap_filename="/captures/caf\udce9 \U0001f600.pcap"),
]
anything = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@anything
@given(any_scored(), st.sampled_from(BUILDERS), st.booleans())
def test_any_flow_event_is_valid(valid, batch, builder, alerted):
    lines = builder.flow_lines(batch, np.full(len(batch), alerted))
    assert len(lines) == np.count_nonzero(batch.flows["reason"] != Ended.SNAPSHOT)
    for line in lines:
        event = valid(line)
        assert 0 <= event["flow_id"] < 2**51
        assert "null" not in line.decode()


@anything
@given(
    any_scored(),
    st.sampled_from(BUILDERS),
    st.integers(1, 10**9),
    st.sampled_from([None, "src_ip", "dest_ip"]),
    st.sampled_from([{}, {"crowd": "by_rule", "sources": 7000}]),
)
def test_any_alert_event_is_valid(valid, batch, builder, count, target, crowd):
    rule = dataclasses.replace(SLOW, target=target)
    reasons = [Reason("flow_duration", 1e6, 0.5, 0.4)]
    judgements = [
        Judgement(verdict(row, count, rule, flow=record, **crowd), 0.99, reasons)
        for row, record in enumerate(batch.flows)
    ]
    updates = [verdict(-1, count, rule, flow=record, update=True, **crowd) for record in batch.flows]
    for event in builder.alerts(batch, judgements) + builder.updates(updates):
        line = encode(event)
        assert valid(line) == json.loads(line)
        assert "null" not in line.decode()


@anything
@given(st.dictionaries(st.sampled_from(COUNTERS), COUNTS), st.sampled_from(BUILDERS), st.none() | COUNTS)
def test_any_stats_event_is_valid(valid, counters, builder, extra):
    reading = Reading(0, counters, kernel_packets=extra, kernel_drops=extra, memory_bytes=extra)
    valid(encode(builder.stats(reading)))


@pytest.mark.parametrize("reason", sorted(ANOMALIES))
def test_any_anomaly_event_is_valid(valid, reason):
    for builder in BUILDERS:
        event = valid(encode(builder.anomaly(reason, 10**18)))
        assert event["anomaly"] == {"type": "decode", "event": ANOMALIES[reason]}
        assert event["timestamp"] == "2001-09-09T01:46:40.000000+0000"


@pytest.mark.parametrize(
    ("place", "key"), [((), "ml"), (("alert",), "ml"), (("flow",), "ml"), ((), "tags"), ((), "ip_v")]
)
def test_the_schemas_refuse_what_they_do_not_know(valid, place, key):
    event = BUILDERS[1].alerts(scored(flow()), [Judgement(verdict(), 0.99)])[0]
    valid(event)
    inner = event
    for part in place:
        inner = inner[part]
    inner[key] = {}
    with pytest.raises(AssertionError, match="Suricata"):
        valid(event)


def test_where_the_packets_came_from():
    live = EventBuilder(sensor="gw1", in_iface="eth0").flow(scored(flow()), 0)
    assert (live["in_iface"], live["host"]) == ("eth0", "gw1")
    assert list(live)[2] == "in_iface"
    offline = dataclasses.replace(BUILDERS[0], pcap_filename="a.pcap").flow(scored(flow()), 0)
    assert list(offline)[-1] == "pcap_filename"
    assert "host" not in offline


def test_a_file_name_that_is_not_utf8_stays_readable():
    assert BUILDERS[2].flow(scored(flow()), 0)["pcap_filename"] == "/captures/caf? \U0001f600.pcap"


def test_an_anomaly_without_a_name_is_a_mistake():
    with pytest.raises(KeyError):
        BUILDERS[0].anomaly("arp", 0)


def test_the_documented_alert_is_valid_and_has_the_fields_of_a_real_one(valid, repo):
    documented = json.loads((repo / "docs" / "eve.md").read_text().split("```json\n")[1].split("```")[0])
    valid(documented)
    builder = dataclasses.replace(BUILDERS[1], in_iface=None, pcap_filename="noon.pcap")
    judgement = Judgement(verdict(count=2, by=SLOW), 0.99, [Reason("flow_duration", 1e6, 0.5, 0.4)])
    real = builder.alerts(scored(flow()), [judgement])[0]
    for place in ((), ("alert",), ("flow",), ("metadata",)):
        ours, theirs = real, documented
        for part in place:
            ours, theirs = ours[part], theirs[part]
        assert theirs.keys() == ours.keys(), place
    told = {key for key in documented["alert"]["metadata"] if key.startswith("ml_")}
    assert told == {key for key in real["alert"]["metadata"] if key.startswith("ml_")}
