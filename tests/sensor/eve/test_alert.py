"""The `alert` event: the rule's words, the model's words, and the flow's."""

from typing import Any

import numpy as np
import pytest

from sensor.detector import Reason
from sensor.eve import EventBuilder, Judgement
from sensor.flows import Reason as Ended
from sensor.flows import State
from sensor.rulebook import Verdict
from tests.sensor.eve.made import NOON_NS, flow, rule, scored, verdict

BUILDER = EventBuilder(sensor="gw1", model="cic-mlp 1.0", threshold=0.93)
SLOW = rule(
    rev=2,
    msg="NETTRUSION denial of service, HTTP slow",
    category="Detection of a Denial of Service Attack",
    metadata={"mitre_technique_id": ("T1499", "T1498")},
    target="dest_ip",
)


def alert(found: Verdict | None = None, reasons: tuple[Reason, ...] = (), **fields: Any) -> dict[str, Any]:
    """Return the alert of one made flow."""
    judgement = Judgement(found or verdict(by=SLOW), 0.9751234, reasons)
    return BUILDER.alerts(scored(flow(**fields)), [judgement])[0]


def test_a_whole_event():
    assert alert(reasons=(Reason("flow_duration", 61e6, 5.25, 0.414), Reason("fwd_iat_mean", 0.5, 1234.5, 0.2))) == {
        "timestamp": "2026-11-21T12:00:01.500000+0000",
        "flow_id": 1234567890123456,
        "event_type": "alert",
        "src_ip": "192.0.2.7",
        "src_port": 49152,
        "dest_ip": "198.51.100.9",
        "dest_port": 443,
        "proto": "TCP",
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": 1000001,
            "rev": 2,
            "signature": "NETTRUSION denial of service, HTTP slow",
            "category": "Detection of a Denial of Service Attack",
            "severity": 3,
            "source": {"ip": "192.0.2.7", "port": 49152},
            "target": {"ip": "198.51.100.9", "port": 443},
            "metadata": {
                "mitre_technique_id": ["T1499", "T1498"],
                "ml_model": ["cic-mlp 1.0"],
                "ml_score": ["0.975123"],
                "ml_threshold": ["0.93"],
                "ml_class": ["dos"],
                "ml_features": [
                    "flow_duration=61000000 (median 5.25, share 41%)",
                    "fwd_iat_mean=0.5 (median 1234, share 20%)",
                ],
            },
        },
        "direction": "to_server",
        "metadata": {"flowbits": ["ml.dos"], "flowints": {"ml_score": 975}},
        "flow": {
            "pkts_toserver": 3,
            "pkts_toclient": 2,
            "bytes_toserver": 300,
            "bytes_toclient": 2000,
            "start": "2026-11-21T12:00:00.000000+0000",
            "src_ip": "192.0.2.7",
            "dest_ip": "198.51.100.9",
            "src_port": 49152,
            "dest_port": 443,
        },
        "community_id": "1:VKP4Rt5KO2wneA2+sJQY9pFGPng=",
        "host": "gw1",
    }


def test_an_incident_says_how_many_flows_it_has():
    assert alert(verdict(count=1234))["alert"]["metadata"]["ml_incident_flows"] == ["1234"]
    assert "ml_incident_flows" not in alert(verdict(count=1))["alert"]["metadata"]


def test_a_crowd_says_by_what_it_is_one_and_of_how_many_sources():
    told = alert(verdict(count=300, crowd="by_dst", sources=280))["alert"]["metadata"]
    assert (told["ml_incident_by"], told["ml_incident_sources"]) == (["by_dst"], ["280"])
    told = alert(verdict(sources=1))["alert"]["metadata"]
    assert told.keys() & {"ml_incident_by", "ml_incident_sources"} == set()


def test_an_alert_on_a_snapshot_says_that_the_flow_is_open():
    def told(reason: int, state: int) -> object:
        return alert(verdict(flow=flow(reason=reason, state=state)[0]))["alert"]["metadata"].get("ml_open")

    assert [told(reason, State.ESTABLISHED) for reason in Ended] == [*[None] * 7, ["true"]]
    assert told(Ended.SNAPSHOT, State.CLOSED) is None


def test_the_target_may_be_the_client():
    told = alert(verdict(by=rule(target="src_ip")), proto=47)["alert"]
    assert (told["source"], told["target"]) == ({"ip": "198.51.100.9"}, {"ip": "192.0.2.7"})


def test_a_rule_with_few_words_is_enough():
    told = alert(verdict())["alert"]
    assert told.keys() == {
        "action",
        "gid",
        "signature_id",
        "rev",
        "signature",
        "category",
        "severity",
        "metadata",
    }
    assert told["severity"] == 3
    assert told["metadata"].keys() == {"ml_model", "ml_score", "ml_threshold", "ml_class"}


def test_the_models_words_win_over_a_rules():
    metadata = alert(verdict(by=rule(metadata={"ml_class": ("bot",), "tag": ()})))["alert"]["metadata"]
    assert metadata["ml_class"] == ["dos"]
    assert "tag" not in metadata


def test_a_flow_without_ports_has_none_anywhere():
    told = alert(proto=1, icmp_type=8, icmp_code=0)
    assert told["flow"].keys() & {"src_port", "dest_port"} == set()
    assert (told["icmp_type"], told["icmp_code"]) == (8, 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (-1.0, "-1"),
        (0.123456, "0.1235"),
        (999.5, "999.5"),
        (12345.678, "12346"),
        (1.5e12, "1500000000000"),
        (2e17, "2e+17"),
        (-2.5e-7, "-2.5e-07"),
        (9.7e-23, "0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_of_features(value, text):
    told = alert(reasons=(Reason("f", value, 0.0, 1.0),))["alert"]["metadata"]["ml_features"]
    assert told == [f"f={text} (median 0, share 100%)"]


def test_each_alert_is_about_its_own_flow():
    batch = scored(
        np.concatenate([flow(flow_id=1), flow(flow_id=2, dst_port=80), flow(flow_id=3)]),
        [910, 920, 930],
        [False, True, True],
        [1, 2, 1],
        app_proto=("tls", "http", None),
    )
    events = BUILDER.alerts(batch, [Judgement(verdict(1), 0.92), Judgement(verdict(0), 0.91)])
    assert [event["flow_id"] for event in events] == [2, 1]
    assert [event["dest_port"] for event in events] == [80, 443]
    assert [event["app_proto"] for event in events] == ["http", "tls"]
    assert [event["alert"]["metadata"]["ml_class"] for event in events] == [["scan"], ["dos"]]
    assert [event["metadata"] for event in events] == [
        {"flowbits": ["ml.scan"], "flowints": {"ml_score": 920}},
        {"flowints": {"ml_score": 910}},
    ]


def test_an_alert_and_a_flow_event_agree_on_the_flow():
    batch = scored(flow(vlans=1, vlan=(9, 0)))
    told, logged = alert(vlans=1, vlan=(9, 0)), BUILDER.flow(batch, 0)
    shared = told.keys() & logged.keys() - {"event_type", "flow"}
    assert {key: told[key] for key in shared} == {key: logged[key] for key in shared}
    assert told["flow"].items() & logged["flow"].items() >= {("pkts_toserver", 3), ("bytes_toclient", 2000)}


def test_no_judgements_are_no_alerts():
    assert BUILDER.alerts(scored(flow()), []) == []
    assert BUILDER.updates([]) == []


def test_an_update_is_the_alert_again_with_its_number_of_flows():
    first = alert(verdict(by=SLOW))
    update = verdict(-1, 1234, SLOW, update=True, last_ns=NOON_NS + 60 * 10**9)
    told = BUILDER.updates([update])[0]
    assert told["timestamp"] == "2026-11-21T12:01:00.000000+0000"
    assert told["alert"]["metadata"].pop("ml_incident_flows") == ["1234"]
    assert told["alert"]["metadata"].pop("ml_score") == ["0.975"]
    del first["timestamp"], told["timestamp"], first["alert"]["metadata"]["ml_score"]
    assert told == first


def test_an_update_of_a_single_flow_is_known_by_its_number():
    (told,) = BUILDER.updates([verdict(-1, 1, update=True, flow=flow(reason=8, state=1)[0])])
    assert (told["alert"]["metadata"]["ml_incident_flows"], told["alert"]["metadata"]["ml_open"]) == (["1"], ["true"])


def test_updates_keep_to_their_own_flow_and_class():
    updates = [
        verdict(-1, 5, flow=flow(dst_port=port)[0], class_name=name, score_permille=score)
        for port, name, score in ((22, "scan", 929), (80, "dos", 930), (23, "scan", 1000))
    ]
    told = BUILDER.updates(updates)
    assert [event["dest_port"] for event in told] == [22, 80, 23]
    assert [event["metadata"].get("flowbits") for event in told] == [None, ["ml.dos"], ["ml.scan"]]
    assert [event["alert"]["metadata"]["ml_class"] for event in told] == [["scan"], ["dos"], ["scan"]]
