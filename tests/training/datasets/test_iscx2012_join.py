"""The records' clock is told from what capture and records share, and labels go to the flow that they mean."""

from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import recorded
from tests.training.datasets import iscx_made
from tests.training.recorded import START_US, Talk
from training.datasets import iscx2012_join, iscx2012_rows, recordings
from training.datasets.iscx2012_join import NO_RECORD, TWO_LABELS, Offset
from training.datasets.iscx2012_rows import Notes

PAGE = Talk(START_US + 400_000, "10.0.0.1", 4000, "10.9.9.10", 80, "benign")


@pytest.fixture(scope="module")
def demo():
    """Return the bundled recording: its flows with the labels of their sockets."""
    (found,) = recordings.read([Path(__file__).parents[3] / "sensor" / "data" / "demo.pcap.gz"])
    return found


def table(tmp_path, made):
    """Return records as rows, by way of a file."""
    path = iscx_made.write_xml(tmp_path / "a.xml", made)
    return np.concatenate([batch.rows for batch in iscx2012_rows.read(path, Notes.empty())])


def flows_of(tmp_path, *talks):
    (found,) = recordings.read([recorded.write(tmp_path, "day", talks)])
    return found.flows


@pytest.mark.parametrize("offset_s", [-10_800, 19_800, 0, -10_793])
def test_a_made_offset_is_estimated(tmp_path, demo, offset_s):
    made = iscx_made.of_flows(demo.flows, demo.column("label").tolist(), offset_s)
    found = iscx2012_join.estimate(table(tmp_path, made), demo.flows, "a.xml")
    assert found.seconds == offset_s
    assert found.matches > 0.9 * found.tuples > 1000


def test_every_flow_gets_the_tag_of_its_own_record(tmp_path, demo):
    """The truth is known: labels by socket; one flow in eleven has no record, and none gets a wrong one."""
    labels = demo.column("label")
    made = iscx_made.of_flows(demo.flows, labels.tolist(), -10_800)
    records = table(tmp_path, made)
    found = iscx2012_join.join(records, demo.flows, Offset(-10_800))
    joined = found.rows >= 0
    assert ((records["label"][found.rows[joined]] > 0) == (labels[joined] != "benign")).all()
    left_out = np.arange(len(labels)) % 11 == 10
    assert joined[~left_out].all()
    assert found.dropped[NO_RECORD] == (~joined).sum() > 0.9 * left_out.sum()
    assert (found.dropped[TWO_LABELS], found.unmatched) == (0, 0)


def test_a_wrong_offset_finds_nothing_and_counts_both_sides(tmp_path, demo):
    made = iscx_made.of_flows(demo.flows, demo.column("label").tolist(), -10_800)
    records = table(tmp_path, made)
    found = iscx2012_join.join(records, demo.flows, Offset(7200))
    assert (found.rows < 0).all()
    assert found.dropped == {NO_RECORD: len(demo.flows), TWO_LABELS: 0}
    assert found.unmatched == len(records)


def test_one_five_tuple_at_two_times_has_two_tags(tmp_path):
    later = Talk(START_US + 900_000_000, "10.9.9.10", 80, "10.0.0.1", 4000, "scan")
    flows = flows_of(tmp_path, PAGE, later)
    records = table(tmp_path, iscx_made.of_flows(flows, ["benign", "scan"], 3600))
    found = iscx2012_join.join(records, flows, Offset(3600))
    assert (records["label"][found.rows] > 0).tolist() == [False, True]


def test_a_flow_under_both_tags_is_dropped_but_a_neighbour_does_not_count(tmp_path):
    flows = flows_of(tmp_path, PAGE)
    (own,) = iscx_made.of_flows(flows, ["benign"], 0)
    both = table(tmp_path, [own, own | {"Tag": "Attack"}])
    assert iscx2012_join.join(both, flows, Offset(0)).dropped[TWO_LABELS] == 1
    start = np.datetime64(own["startDateTime"], "s")
    beside = own | {"startDateTime": str(start - 2), "stopDateTime": str(start - 1), "Tag": "Attack"}
    found = iscx2012_join.join(table(tmp_path, [beside, own]), flows, Offset(0))
    assert (found.rows.tolist(), found.dropped[TWO_LABELS], found.unmatched) == ([1], 0, 1)
    alone = iscx2012_join.join(table(tmp_path, [beside]), flows, Offset(0))
    assert alone.rows.tolist() == [0]


def test_a_record_without_addresses_is_no_partner(tmp_path):
    flows = flows_of(tmp_path, PAGE)
    (own,) = iscx_made.of_flows(flows, ["benign"], 0)
    nobody = own | {"source": "0.0.0.0", "destination": "0.0.0.0"}
    found = iscx2012_join.join(table(tmp_path, [nobody]), flows, Offset(0))
    assert (found.dropped[NO_RECORD], found.unmatched) == (1, 1)


def test_records_of_another_day_do_not_tell_an_offset(tmp_path, demo):
    strangers = table(tmp_path, iscx_made.rows(300))
    with pytest.raises(NettrusionError, match=r"a\.xml: the offset .* 0 5-tuples .* utc-offset\.txt"):
        iscx2012_join.estimate(strangers, demo.flows, "a.xml")


def test_votes_that_scatter_do_not_tell_an_offset(tmp_path, demo):
    made = iscx_made.of_flows(demo.flows, demo.column("label").tolist(), 0)
    records = table(tmp_path, made)
    records["start_ns"] += np.arange(len(records)) * 7 * 10**9
    with pytest.raises(NettrusionError, match="agree on one"):
        iscx2012_join.estimate(records, demo.flows, "a.xml")


def test_an_offset_reads_like_one():
    assert str(Offset(-10_800)) == "-03:00 (set)"
    assert str(Offset(19_807, 9, 10)) == "+05:30:07 (9 of 10 shared 5-tuples say so)"
