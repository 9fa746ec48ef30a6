"""Rows hold what rules ask of flows, and give it back."""

import numpy as np
from hypothesis import given

from sensor.flows import Reason
from sensor.traffic.rows import ROW, ended, flows_of, linked, rows_of
from tests.sensor.eve.made import any_scored
from tests.sensor.traffic.made import row


@given(any_scored())
def test_flows_come_back_with_all_that_a_rule_can_ask(batch):
    flows = batch.flows
    back = flows_of(rows_of(flows, batch.score_permille * 1000, batch.class_index, 3))
    for name in ("src", "dst", "src_port", "dst_port", "proto", "ip_version", "start_ns", "end_ns", "flow_id", "part"):
        assert (back[name] == flows[name]).all()
    for side in ("fwd", "bwd"):
        assert (back[side]["pkts"] == flows[side]["pkts"]).all()
        assert (back[side]["bytes"] == flows[side]["bytes"]).all()


def test_a_row_knows_its_score_class_and_segment():
    made = row(123_456, 2, 5)
    assert (made["ppm"][0], made["class"][0], made["segment"][0]) == (123_456, 2, 5)
    assert ROW.itemsize < 128


def test_snapshots_have_not_ended():
    rows = np.concatenate([row(reason=Reason.SNAPSHOT), row(reason=Reason.FIN)])
    assert ended(rows).tolist() == [False, True]


def test_records_of_one_flow_out_of_events_are_linked():
    rows = np.concatenate(
        [
            row(flow_id=1, reason=Reason.IDLE),
            row(flow_id=2, reason=Reason.IDLE),
            row(flow_id=1, reason=Reason.SNAPSHOT),
            row(flow_id=1, reason=Reason.IDLE),
            row(flow_id=1, reason=Reason.IDLE, segment=2),
        ]
    )
    made = linked(rows)
    assert made["part"].tolist() == [0, 0, 1, 2, 0]
    assert made["reason"].tolist() == [Reason.ACTIVE, Reason.IDLE, Reason.SNAPSHOT, Reason.IDLE, Reason.IDLE]
    assert rows["part"].tolist() == [0] * 5


def test_those_out_of_a_capture_stay_as_they_are():
    rows = np.concatenate(
        [row(flow_id=1, reason=Reason.SNAPSHOT, part=3), row(flow_id=1, reason=Reason.ACTIVE, part=4), row(flow_id=9)]
    )
    assert (linked(rows) == rows).all()
    assert len(linked(rows[:0])) == 0
