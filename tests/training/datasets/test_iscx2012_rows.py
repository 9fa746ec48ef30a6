"""Records become arrays, and every oddity of the data set is counted."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training.datasets import iscx_made
from training.datasets import iscx2012_rows
from training.datasets.iscx2012_rows import Notes

PLAIN = {
    "totalSourceBytes": "358", "totalDestinationBytes": "257", "totalSourcePackets": "5",
    "totalDestinationPackets": "3", "sourceTCPFlagsDescription": "F,S,A", "destinationTCPFlagsDescription": "S,A",
    "source": "10.99.0.1", "protocolName": "tcp_ip", "sourcePort": "2237", "destination": "10.98.0.2",
    "destinationPort": "22", "startDateTime": "2010-06-15T02:58:25", "stopDateTime": "2010-06-15T02:58:27",
    "Tag": "Attack",
}  # fmt: skip


def read(tmp_path, *rows, batch=100):
    notes = Notes.empty()
    path = iscx_made.write_xml(tmp_path / "a.xml", rows, tag="item")
    batches = list(iscx2012_rows.read(path, notes, batch))
    return np.concatenate([one.rows for one in batches]), batches, +notes.odd, +notes.dropped


def test_a_record_is_a_row(tmp_path):
    (row,), (batch,), odd, dropped = read(tmp_path, PLAIN)
    assert bytes(row["src"][:4]) == bytes([10, 99, 0, 1])
    assert [row[name] for name in ("src_port", "dst_port", "proto", "ip_version")] == [2237, 22, 6, 4]
    assert (row["end_ns"] - row["start_ns"], row["start_ns"] // 10**9) == (2 * 10**9, 1_276_570_705)
    assert [row[name] for name in ("fwd_pkts", "bwd_pkts", "fwd_bytes", "bwd_bytes")] == [5, 3, 358, 257]
    assert row["day"] == 15
    assert batch.columns["totalSourceBytes"].tolist() == [358]
    assert not odd and not dropped


def test_batches_are_one_table(tmp_path):
    made = list(iscx_made.rows(25))
    rows, batches, _, _ = read(tmp_path, *made, batch=10)
    assert [len(one.rows) for one in batches] == [10, 10, 5]
    assert rows["src_port"].tolist() == [int(row["sourcePort"]) for row in made]


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"source": "0.0.0.0", "destination": "0.0.0.0"}, iscx2012_rows.NO_ADDRESS),
        ({"source": None}, iscx2012_rows.NO_ADDRESS),
        ({"sourceTCPFlagsDescription": "N/A", "destinationTCPFlagsDescription": None}, iscx2012_rows.NO_FLAGS),
        ({"totalSourcePackets": "0"}, iscx2012_rows.ONE_WAY),
        ({"totalDestinationPackets": "0"}, iscx2012_rows.ONE_WAY),
        ({"stopDateTime": None}, iscx2012_rows.NO_STOP),
        ({"stopDateTime": "2010-06-15T02:58:24"}, iscx2012_rows.BACKWARDS),
        ({"totalSourceBytes": "many"}, iscx2012_rows.MISSING.format("totalSourceBytes")),
    ],
)
def test_an_oddity_is_counted_and_its_record_stays(tmp_path, change, flaw):
    odd_one = {name: text for name, text in (PLAIN | change).items() if text is not None}
    rows, _, odd, dropped = read(tmp_path, PLAIN, odd_one)
    assert (len(rows), odd, dropped) == (2, {flaw: 1}, {})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Tag": "NeedManualLabel"}, iscx2012_rows.NO_TAG),
        ({"Tag": None}, iscx2012_rows.NO_TAG),
        ({"startDateTime": "once"}, iscx2012_rows.NO_START),
        ({"startDateTime": None}, iscx2012_rows.NO_START),
    ],
)
def test_what_cannot_be_used_is_dropped_and_counted(tmp_path, change, reason):
    lost = {name: text for name, text in (PLAIN | change).items() if text is not None}
    rows, batches, _, dropped = read(tmp_path, PLAIN, lost)
    assert (len(rows), dropped) == (1, {reason: 1})
    assert all(len(column) == 1 for column in batches[0].columns.values())


def test_every_element_may_be_missing_and_the_features_are_still_numbers(tmp_path):
    from sensor.features import FeatureSet

    bare = {name: PLAIN[name] for name in ("startDateTime", "Tag")}
    _, (batch,), _, _ = read(tmp_path, bare)
    assert np.isfinite(FeatureSet.load("iscx2012").from_columns(batch.columns)).all()


def test_a_five_tuple_under_both_tags_is_one(tmp_path):
    other = PLAIN | {"Tag": "Normal"}
    elsewhere = other | {"sourcePort": "9"}
    unknown = [PLAIN | {"source": "0.0.0.0", "Tag": tag} for tag in ("Normal", "Attack")]
    rows, *_ = read(tmp_path, PLAIN, other, other, elsewhere, *unknown)
    assert iscx2012_rows.both_tags(rows) == 1
    assert iscx2012_rows.both_tags(rows[:1]) == 0


def test_what_is_no_flow_file_is_named(tmp_path):
    (tmp_path / "a.xml").write_text("<html/>")
    for name in ("a.xml", "missing.xml"):
        with pytest.raises(NettrusionError, match=name):
            list(iscx2012_rows.read(tmp_path / name, Notes.empty()))
