"""Labelled data of every kind becomes rows that any detector can be asked about."""

import csv

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.flows import Reason
from tests.training import made, recorded
from training.datasets import captures, recordings, zeek_labelled
from training.datasets.labelled_captures import ATTACK, BENIGN, UNDECIDED
from training.evaluation import evidence

HEADER = ["file", "kind", "class", "group", "attack_bpf", "label_strength"]
SCAN = "src host 10.66.6.6 and dst portrange 100-200"


@pytest.fixture
def folder(tmp_path):
    """Two captures of made days and their table of labels: a scan among other things, and a quiet one."""
    recorded.write(tmp_path, "mixed", recorded.day(1))
    recorded.write(tmp_path, "quiet", recorded.day(2, attacks=0))
    recorded.write(tmp_path, "still", recorded.day(3, benign=20, attacks=0))
    rows = [
        ["mixed.pcap.gz", "attack", "portscan", "portscan", SCAN, "strong"],
        ["quiet.pcap.gz", "benign", "benign", "benign-web", "", "strong"],
        ["still.pcap.gz", "benign", "benign", "benign-iot", "", "strong"],
    ]
    with (tmp_path / "labels.tsv").open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([HEADER, *rows])
    return tmp_path


def test_captures(folder):
    found = evidence.of_captures(folder, folder / "labels.tsv")
    assert found.captures == ("mixed.pcap.gz", "quiet.pcap.gz", "still.pcap.gz")
    assert found.alike
    assert (found.attack.sum(), found.benign.sum()) == (30, 140)
    assert set(found.label[found.attack].tolist()) == {"portscan"}
    assert set(found.family[found.attack].tolist()) == {"scan"}
    assert set(found.label[found.benign].tolist()) == {"benign-web", "benign-iot"}
    beside = found.beside & found.counts
    assert beside.sum() == 150
    assert set(found.label[beside].tolist()) == {evidence.BESIDE}
    assert found.left_out == {}
    for set_name, variant in (("cic2022", "cns22"), ("iscx2012", "iscx2012")):
        features = FeatureSet.load(set_name)
        assert found.matrix(features, variant).shape == (len(found), len(features.features))


def test_snapshots_count_as_no_flow_but_know_what_their_flow_is(folder):
    found = evidence.of_captures(folder, folder / "labels.tsv")
    assert found.flows is not None
    snapshots = found.flows["reason"] == Reason.SNAPSHOT
    assert snapshots.any()
    assert not found.counts[snapshots].any()
    attacks = set(found.flows["flow_id"][found.attack].tolist())
    told = [int(flow) in attacks for flow in found.flows["flow_id"][snapshots]]
    assert (found.truth[snapshots] == ATTACK).tolist() == told


def test_a_flow_that_turns_out_to_be_an_attack_was_one_all_along(folder):
    """Of a flow of a hundred packets only the FIN is the attack's; what was said of it before counts as found."""
    talk = recorded.Talk(recorded.START_US, "10.66.6.6", 4000, "10.9.9.10", 22, "x", sizes=(100,) * 100)
    recorded.write(folder, "mixed", [talk])
    bpf = "src host 10.66.6.6 and tcp[tcpflags] & tcp-fin != 0"
    (folder / "labels.tsv").write_text((folder / "labels.tsv").read_text().replace(SCAN, bpf))
    found = evidence.of_captures(folder, folder / "labels.tsv")
    assert found.flows is not None
    assert found.first_ns is not None
    own = found.capture == 0
    assert found.flows["reason"][own][0] == Reason.SNAPSHOT
    assert own.sum() > 1
    assert (found.truth[own] == ATTACK).all()
    assert len(set(found.first_ns[own].tolist())) == 1


def test_a_capture_without_truth_is_left_out_and_counted(folder):
    text = (folder / "labels.tsv").read_text().replace(SCAN, "?csv")
    (folder / "labels.tsv").write_text(text)
    found = evidence.of_captures(folder, folder / "labels.tsv")
    assert list(found.left_out.values()) == [180]
    assert not found.attack.any()
    assert (found.truth[found.capture == 0] == UNDECIDED).all()


def test_recordings_are_labelled_as_their_reader_labels_them(tmp_path):
    talks = [
        *recorded.day(1),
        recorded.Talk(recorded.START_US, "10.7.7.7", 1, "10.9.9.10", 9, "benign", labelled=False),
    ]
    recorded.write(tmp_path, "mon", talks)
    found = evidence.of_recordings([tmp_path])
    (plain,) = recordings.read([tmp_path])
    assert found.counts.sum() == len(plain.flows)
    assert set(found.label[found.attack].tolist()) == {"scan: scan-syn", "bruteforce: guess-ssh"}
    assert set(found.family[found.attack].tolist()) == {"scan", "bruteforce"}
    assert (found.attack.sum(), found.benign.sum()) == (60, 120)
    assert list(found.left_out.values()) == [1]
    assert (found.truth == UNDECIDED).sum() >= 1
    assert not found.alike
    assert not found.beside.any()
    assert len(np.unique(found.cluster[found.benign])) == 6


def test_a_recording_that_is_not_the_one_of_its_manifest_is_refused(tmp_path):
    labels = recorded.write(tmp_path, "mon", recorded.day(1))
    labels.write_text(labels.read_text() + "\n")
    with pytest.raises(NettrusionError, match="manifest"):
        evidence.of_recordings([tmp_path])


def test_a_table_has_features_of_the_sets_that_it_was_read_for(tmp_path):
    recorded.write(tmp_path, "mon", recorded.day(1))
    tables = {
        (name, variant): captures.load([tmp_path], FeatureSet.load(name), variant).table
        for name, variant in (("cic2022", "cns22"), ("iscx2012", "iscx2012"))
    }
    found = evidence.of_tables("rows", tables)
    assert found.flows is None
    assert (found.truth == BENIGN).sum() == 120
    assert found.matrix(made.feature_set(), "cns22").shape == (180, 82)
    with pytest.raises(NettrusionError, match=r"no features of cic2022 \(fork\), only of cic2022 \(cns22\), iscx2012"):
        found.matrix(made.feature_set(), "fork")
    with pytest.raises(ValueError, match="other rows"):
        evidence.of_tables("rows", {("a", "b"): made.table(10), ("c", "d"): made.table(11)})


def test_records_of_zeek(shared_data):
    records = zeek_labelled.read([shared_data / "zeek"])
    found = evidence.of_records("zeek", records)
    assert (found.attack.sum(), found.benign.sum()) == (719, 44)
    assert list(found.left_out.values()) == [3]
    assert found.packet is None
    assert found.recorded is None
    with pytest.raises(NettrusionError, match="iscx2012 alone, not cic2022"):
        found.matrix(made.feature_set(), "cns22")


def test_time_is_counted_without_long_silences(tmp_path):
    start = recorded.START_US
    talks = [
        recorded.Talk(start + at * 1_000_000, "10.0.0.1", 4000 + at // 10, "10.0.0.2", 53, "benign", udp=True, gap_us=1)
        for at in (0, 300, 86_400)
    ]
    recorded.write(tmp_path, "mon", talks)
    found = evidence.of_recordings([tmp_path])
    # Five minutes, and ten of the silence of a day.
    assert found.days(found.benign) == pytest.approx(900 / 86_400, rel=1e-3)
    assert found.days(found.attack) == 0
