"""Captures are labelled as a whole, by a table of flows, or by the filter alone, and the last two agree."""

import csv
import shutil
import subprocess

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.training import made, recorded
from training.datasets import labelled_captures
from training.datasets.labelled_captures import ATTACK, BENIGN, UNDECIDED, Capture
from training.datasets.recordings import assemble
from training.splits.parts import Split

HEADER = ["file", "kind", "class", "group", "attack_bpf", "label_strength"]
FLOWS = ["file", "proto", "src", "sport", "dst", "dport", "first_ts", "last_ts", "packets", "attack_packets", "label"]
SCAN = "src host 10.66.6.6 and tcp[tcpflags] & tcp-syn != 0 and dst portrange 100-200"


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter="\t", lineterminator="\n").writerows([header, *rows])
    return path


@pytest.fixture
def folder(tmp_path):
    """Two captures of made days; the first has benign traffic, a scan and a guessing, the second is benign."""
    recorded.write(tmp_path, "mixed", recorded.day(1))
    recorded.write(tmp_path, "quiet", recorded.day(2, attacks=0))
    (tmp_path / "mixed.labels.csv").unlink()
    (tmp_path / "quiet.labels.csv").unlink()
    rows = [
        ["mixed.pcap.gz", "attack", "portscan", "portscan", SCAN, "strong"],
        ["quiet.pcap.gz", "benign", "benign", "benign-web", "", "strong"],
    ]
    write(tmp_path / "labels.tsv", HEADER, rows)
    return tmp_path


def load(folder, feature_set="cic2022", variant="cns22", **rest):
    return labelled_captures.load([folder], FeatureSet.load(feature_set), variant, **rest)


def test_a_flow_is_an_attack_if_a_packet_of_it_passes_the_filter(folder):
    loaded = load(folder)
    table = loaded.table
    assert dict(zip(*np.unique(table.family, return_counts=True), strict=True)) == {"benign": 270, "scan": 30}
    assert loaded.manifest.kept == {"benign": 270, "portscan": 30}
    assert table.sources == (folder.name,)
    assert len(np.unique(table.episode)) == 2
    assert [one.name for one in loaded.manifest.files] == ["labels.tsv", "mixed.pcap.gz", "quiet.pcap.gz"]


def test_any_feature_set_can_be_fed(folder):
    assert load(folder, "iscx2012", "iscx2012").table.features.shape == (300, 22)


def test_a_row_limit_is_undone_by_weights(folder):
    loaded = load(folder, row_limit=10)
    assert loaded.table.weight.sum() == 300
    assert loaded.manifest.kept["portscan"] == 10
    assert loaded.manifest.dropped["flows: beyond the row limit of its label"] > 0


def test_the_smell_audit_reads_such_a_table(folder):
    from training.datasets.audit import audit

    table = load(folder).table
    rows = np.arange(len(table))
    found = audit(table, Split("later the same day", rows[::3], rows[1::3], rows[2::3], rows[:0]))
    assert found.rows == 300
    assert found.stumps[0].balanced_accuracy > 0.9


def test_the_time_of_the_first_attack_packet_is_that_of_the_packet(folder):
    # The last packet alone of each guessing is named: 14 packets of data, FIN, FIN, ACK.
    capture = Capture(
        "mixed.pcap.gz", "attack", "x", "strong", False, "src host 10.66.6.6 and tcp[tcpflags] & tcp-fin != 0"
    )
    flows = assemble(folder / "mixed.pcap.gz")
    marks, first = labelled_captures.label(capture, folder / "mixed.pcap.gz", flows, None)
    long = (marks == ATTACK) & (flows["fwd"]["pkts"] > 5)
    assert long.sum() == 30
    assert (first[long] - flows["start_ns"][long] == 17 * 90_000_000).all()
    assert (first[marks == BENIGN] == flows["start_ns"][marks == BENIGN]).all()


def test_without_filter_and_table_nothing_is_decided(folder):
    path = folder / "mixed.pcap.gz"
    flows = assemble(path)
    for bpf in ("", "?csv"):
        marks, _ = labelled_captures.label(Capture("mixed.pcap.gz", "mixed", "x", "s", False, bpf), path, flows, None)
        assert (marks == UNDECIDED).all()


def test_a_table_of_flows_stands_above_the_filter(folder):
    first = assemble(folder / "mixed.pcap.gz")[0]
    ends = [".".join(map(str, first[side][:4])) for side in ("src", "dst")]
    row = ["mixed.pcap.gz", first["proto"], ends[1], first["dst_port"], ends[0], first["src_port"]]
    row += [first["start_ns"] / 1e9, first["end_ns"] / 1e9, 3, 1, "x"]
    write(folder / "flows.tsv", FLOWS, [row])
    loaded = load(folder)
    assert loaded.manifest.kept == {"benign": 120, "portscan": 1}
    assert loaded.manifest.dropped["flows: no ground truth for the 5-tuple at that time"] == 179


def test_an_unknown_class_is_dropped_and_counted(folder):
    write(folder / "labels.tsv", HEADER, [["mixed.pcap.gz", "attack", "novelty", "n", SCAN, "strong"]])
    loaded = load(folder)
    assert loaded.manifest.dropped["flows: unknown class novelty"] == 30


def test_tables_of_labels_are_known_by_their_head(folder, tmp_path):
    write(tmp_path / "flows.tsv", FLOWS, [])
    other = write(folder / "captures of may.tsv", HEADER, [])
    assert labelled_captures.find(folder) == sorted([other, folder / "labels.tsv"])
    assert labelled_captures.find(other) == [other]
    assert labelled_captures.find(tmp_path / "flows.tsv") == []


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (FLOWS[:-2], [], "no column attack_packets"),
        (FLOWS, [["mixed.pcap.gz", 6, "10.0.0", 1, "10.0.0.2", 2, 1, 2, 3, 3, "x"]], "row 2: '10.0.0'"),
        (FLOWS, [["mixed.pcap.gz", 6, "10.0.0.1", 1, "10.0.0.2", 2, "noon", 2, 3, 3, "x"]], "row 2"),
    ],
)
def test_a_damaged_table_of_flows_is_named_with_its_row(folder, header, rows, said):
    write(folder / "flows.tsv", header, rows)
    with pytest.raises(NettrusionError, match=said):
        load(folder)


def test_a_bad_filter_is_named_with_its_file(folder):
    write(folder / "labels.tsv", HEADER, [["mixed.pcap.gz", "attack", "portscan", "n", "host and", "strong"]])
    with pytest.raises(NettrusionError, match=r"labels\.tsv: attack_bpf of mixed\.pcap\.gz"):
        load(folder)


def test_filters_and_flow_truth_agree_on_the_real_captures(shared_data, dev_captures, tmp_path):
    """Of 12,091 flows of the captures with a filter, both say the same of every one."""
    if shutil.which("zstd") is None:
        pytest.skip("unpacking the table of flows needs the command zstd")
    plain = tmp_path / "flows.tsv"
    packed = shared_data / "captures" / "flows.tsv.zst"
    subprocess.run(["zstd", "-dq", str(packed), "-o", str(plain)], check=True)
    known = list(labelled_captures.listed(shared_data / "captures" / "labels.tsv"))
    truth = labelled_captures.read_truth(plain, known)
    flows = agreed = attacks = 0
    for capture in known:
        if capture.kind == "benign" or capture.whole or capture.bpf.startswith("?"):
            continue
        path = dev_captures / capture.file
        own = assemble(path)
        by_table, _ = labelled_captures.label(capture, path, own, truth)
        by_filter, _ = labelled_captures.label(capture, path, own, None)
        flows += len(own)
        agreed += int((by_table == by_filter).sum())
        attacks += int((by_filter == ATTACK).sum())
    assert (flows, agreed, attacks) == (12_091, 12_091, 11_847)


def test_real_captures_make_a_table(shared_data, dev_captures, tmp_path):
    rows = [
        ["attack/slowloris/Kihy__slowloris_9c1032b6.pcap", "attack", "slowloris", "slowloris", "ANY", "strong"],
        ["benign/benign/andypitcher__Aria_Setup-A-1-STA.pcap", "benign", "benign", "benign-iot", "", "strong"],
    ]
    for row in rows:
        (tmp_path / row[0]).parent.mkdir(parents=True)
        shutil.copy(dev_captures / row[0], tmp_path / row[0])
    write(tmp_path / "labels.tsv", HEADER, rows)
    loaded = labelled_captures.load([tmp_path], made.feature_set(), "cns22")
    assert set(loaded.table.family.tolist()) == {"slowdos", "benign"}
    assert all(len(one.sha256) == 64 for one in loaded.manifest.files)
