"""The `flow` event field by field, and that a batch says what each flow alone says."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from sensor.eve import MAX_LINE_BYTES, EventBuilder
from sensor.flows import Reason, State
from tests.sensor.eve.made import NOON_NS, any_scored, flow, scored

BUILDER = EventBuilder(sensor="gw1")


def event(**fields: Any) -> dict[str, Any]:
    """Return the event of one made flow."""
    return BUILDER.flow(scored(flow(**fields)), 0)


def test_a_whole_event():
    assert event() == {
        "timestamp": "2026-11-21T12:00:01.500000+0000",
        "flow_id": 1234567890123456,
        "event_type": "flow",
        "src_ip": "192.0.2.7",
        "src_port": 49152,
        "dest_ip": "198.51.100.9",
        "dest_port": 443,
        "proto": "TCP",
        "metadata": {"flowbits": ["ml.dos"], "flowints": {"ml_score": 975}},
        "flow": {
            "pkts_toserver": 3,
            "pkts_toclient": 2,
            "bytes_toserver": 300,
            "bytes_toclient": 2000,
            "start": "2026-11-21T12:00:00.000000+0000",
            "end": "2026-11-21T12:00:01.500000+0000",
            "age": 1,
            "state": "closed",
            "reason": "timeout",
            "alerted": False,
        },
        "tcp": {
            "tcp_flags": "1b",
            "tcp_flags_ts": "1b",
            "tcp_flags_tc": "13",
            "syn": True,
            "fin": True,
            "psh": True,
            "ack": True,
            "state": "closed",
        },
        "community_id": "1:VKP4Rt5KO2wneA2+sJQY9pFGPng=",
        "host": "gw1",
    }


def test_arkime_finds_the_time_by_its_position():
    assert BUILDER.flow_lines(scored(flow()))[0].startswith(b'{"timestamp":"2026-11-21T12:00:01.500000+0000",')


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (Reason.FIN, "timeout"),
        (Reason.RST, "timeout"),
        (Reason.IDLE, "timeout"),
        (Reason.ACTIVE, "timeout"),
        (Reason.EVICTED, "forced"),
        (Reason.SHUTDOWN, "shutdown"),
        (Reason.REUSE, "tcp_reuse"),
    ],
)
def test_reasons_in_suricatas_words(reason, word):
    assert event(reason=reason)["flow"]["reason"] == word


def test_every_reason_and_state_has_a_word():
    assert {event(reason=reason)["flow"]["reason"] for reason in set(Reason) - {Reason.SNAPSHOT}} == {
        "timeout",
        "forced",
        "shutdown",
        "tcp_reuse",
    }
    assert [event(state=state)["flow"]["state"] for state in State] == ["new", "established", "closed"]


@pytest.mark.parametrize(
    ("state", "to", "back", "told"),
    [
        (State.NEW, 0x02, 0x00, "syn_sent"),
        (State.NEW, 0x12, 0x00, "syn_sent"),
        (State.NEW, 0x10, 0x00, None),
        (State.ESTABLISHED, 0x02, 0x12, "syn_recv"),
        (State.ESTABLISHED, 0x12, 0x12, "established"),
        (State.ESTABLISHED, 0x1A, 0x1A, "established"),
        (State.ESTABLISHED, 0x18, 0x18, "established"),
        (State.CLOSED, 0x02, 0x14, "closed"),
    ],
)
def test_tcp_states(state, to, back, told):
    assert event(state=state, fwd_flags=to, bwd_flags=back)["tcp"].get("state") == told


def test_each_flag_is_said_only_when_it_was_seen():
    names = {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"}
    for bit, name in names.items():
        for to, back in ((bit, 0), (0, bit)):
            tcp = event(state=State.NEW, fwd_flags=to, bwd_flags=back)["tcp"]
            assert {key for key in tcp if tcp[key] is True} == {name}
            assert (tcp["tcp_flags"], tcp["tcp_flags_ts"], tcp["tcp_flags_tc"]) == (
                f"{bit:02x}",
                f"{to:02x}",
                f"{back:02x}",
            )


@pytest.mark.parametrize("proto", [1, 17, 132, 47])
def test_only_tcp_has_flags(proto):
    assert "tcp" not in event(proto=proto)


@pytest.mark.parametrize(
    ("length_ns", "age"), [(0, 0), (999_999_999, 0), (10**9, 1), (86_400 * 10**9, 86_400), (-(10**9), 0)]
)
def test_age_is_in_whole_seconds(length_ns, age):
    assert event(end_ns=NOON_NS + length_ns)["flow"]["age"] == age


def test_counts_beyond_32_bits_are_whole():
    assert event(fwd_bytes=2**53 + 1)["flow"]["bytes_toserver"] == 2**53 + 1


def test_a_flow_below_the_threshold_has_a_score_and_no_class():
    below = scored(flow(), permille=120, above=False)
    assert BUILDER.flow(below, 0)["metadata"] == {"flowints": {"ml_score": 120}}


def test_what_calibrating_needs_is_said_of_every_flow():
    below = scored(flow(), permille=120, above=False, class_index=2, score_ppm=np.array([119_876]), model=0xFFFFFFFF)
    ints = {"ml_score": 120, "ml_score_ppm": 119_876, "ml_class": 2, "ml_model": 4_294_967_295}
    assert BUILDER.flow(below, 0)["metadata"] == {"flowints": ints}


def test_the_class_is_the_flows_own():
    batch = scored(np.concatenate([flow(), flow()]), class_index=[2, 1])
    bits = [json.loads(line)["metadata"]["flowbits"] for line in BUILDER.flow_lines(batch)]
    assert bits == [["ml.scan"], ["ml.dos"]]


def test_alerted_is_said_of_the_flow_that_was():
    batch = scored(np.concatenate([flow(), flow()]))
    lines = BUILDER.flow_lines(batch, np.array([False, True]))
    assert [json.loads(line)["flow"]["alerted"] for line in lines] == [False, True]
    assert BUILDER.flow(batch, 1, alerted=True)["flow"]["alerted"] is True


def test_the_application_protocol_where_it_is_known():
    batch = scored(np.concatenate([flow(), flow()]), app_proto=(None, "http"))
    assert [json.loads(line).get("app_proto") for line in BUILDER.flow_lines(batch)] == [None, "http"]


def test_no_flows_are_no_lines():
    assert BUILDER.flow_lines(scored(flow()[:0])) == []


def test_a_snapshot_has_no_line_and_the_others_keep_theirs():
    batch = scored(np.concatenate([flow(reason=8), flow(dst_port=22), flow(reason=8), flow(dst_port=23)]), [1, 2, 3, 4])
    lines = [json.loads(line) for line in BUILDER.flow_lines(batch, np.array([True, False, False, True]))]
    assert [(line["dest_port"], line["flow"]["alerted"]) for line in lines] == [(22, False), (23, True)]
    assert [line["metadata"]["flowints"]["ml_score"] for line in lines] == [2, 4]


def test_a_word_from_elsewhere_that_is_too_long_is_cut():
    batch = scored(np.concatenate([flow(), flow()]), app_proto=("x" * MAX_LINE_BYTES, "tls"))
    long, short = BUILDER.flow_lines(batch)
    assert len(long) <= MAX_LINE_BYTES
    assert json.loads(long)["app_proto"].endswith("...")
    assert json.loads(short)["app_proto"] == "tls"


@given(any_scored())
def test_a_flow_is_told_the_same_alone_and_in_a_batch(batch):
    alone = [
        line
        for row in range(len(batch))
        for line in BUILDER.flow_lines(
            scored(
                batch.flows[row : row + 1],
                batch.score_permille[row : row + 1],
                batch.above[row : row + 1],
                batch.class_index[row : row + 1],
                app_proto=None if batch.app_proto is None else (batch.app_proto[row],),
            )
        )
    ]
    assert BUILDER.flow_lines(batch) == alone


@given(any_scored())
def test_every_line_is_compact_json(batch):
    for line in BUILDER.flow_lines(batch):
        assert json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n" == line
