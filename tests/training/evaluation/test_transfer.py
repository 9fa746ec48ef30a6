"""Labelled captures go through the sensor's own path and come out labelled by flow."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from tests.training import made
from training.datasets.recordings import assemble
from training.evaluation import transfer

SLOWLORIS = "attack/slowloris/Kihy__slowloris_9c1032b6.pcap"
TELNET = "attack/portscan/stratosphereips__test7-malicious.pcap"
QUIET = "benign/benign/andypitcher__Aria_Setup-A-1-STA.pcap"
HEADER = ["file", "kind", "class", "group", "attack_bpf", "label_strength"]
FLOWS = ["file", "proto", "src", "sport", "dst", "dport", "first_ts", "last_ts", "packets", "attack_packets", "label"]


def write(path: Path, header: list[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerows([header, *rows])
    return path


def test_whole_captures_are_labelled_as_a_whole(dev_captures, tmp_path):
    labels = write(
        tmp_path / "labels.tsv",
        HEADER,
        [
            [SLOWLORIS, "attack", "slowloris", "slowloris", "ANY", "strong"],
            [QUIET, "benign", "benign", "benign-iot", "", "strong"],
        ],
    )
    flows = write(tmp_path / "flows.tsv", FLOWS, [])
    found = transfer.load(dev_captures, labels, flows, made.feature_set(), "cns22")
    assert set(found.group) == {"slowloris", "benign-iot"}
    assert found.attack.sum() >= 150
    assert (found.group[found.attack] == "slowloris").all()
    assert found.features.shape == (len(found.attack), 82)


def test_single_flows_are_labelled_by_five_tuple_and_time(dev_captures, tmp_path):
    labels = write(
        tmp_path / "labels.tsv",
        HEADER,
        [[TELNET, "attack", "portscan", "portscan", "src host x", "strong"]],
    )
    engine = assemble(dev_captures / TELNET)
    first, second = engine[(engine["ip_version"] == 4) & (engine["proto"] == 6)][:2]
    truth = []
    for flow, packets in ((first, 3), (second, 0)):
        src, dst = (".".join(str(part) for part in flow[side][:4]) for side in ("src", "dst"))
        span = [flow["start_ns"] / 1e9, flow["end_ns"] / 1e9]
        ends = [dst, flow["dst_port"], src, flow["src_port"]]
        truth.append([TELNET, flow["proto"], *ends, *span, 3, packets, "x"])
    flows = write(tmp_path / "flows.tsv", FLOWS, truth)
    found = transfer.load(dev_captures, labels, flows, made.feature_set(), "cns22")
    assert set(found.group) == {"portscan", "benign beside attack"}
    assert found.left_out["no ground truth for the 5-tuple at that time"] > 0
    assert found.attack.any()
    assert not found.attack.all()


def test_a_labels_file_without_its_columns_is_an_error_that_names_them(tmp_path):
    labels = write(tmp_path / "labels.tsv", ["file", "kind"], [])
    with pytest.raises(NettrusionError, match="attack_bpf"):
        transfer.load(tmp_path, labels, labels, made.feature_set(), "cns22")


def test_a_missing_capture_is_an_error_that_names_it(tmp_path):
    row = ["gone.pcap", "benign", "benign", "g", "", "strong"]
    labels = write(tmp_path / "labels.tsv", HEADER, [row])
    flows = write(tmp_path / "flows.tsv", FLOWS, [])
    with pytest.raises(NettrusionError, match=r"gone\.pcap"):
        transfer.load(tmp_path, labels, flows, made.feature_set(), "cns22")


def test_without_a_table_of_flows_the_filter_says_it(dev_captures, tmp_path):
    bpf = "src host 192.168.2.16 and tcp[tcpflags]&(tcp-syn|tcp-ack)==tcp-syn and (dst port 23 or dst port 2323)"
    row = [TELNET, "attack", "portscan", "portscan", bpf, "strong"]
    found = transfer.load(
        dev_captures, write(tmp_path / "labels.tsv", HEADER, [row]), None, made.feature_set(), "cns22"
    )
    assert set(found.group) == {"portscan", "benign beside attack"}
    assert sum(found.left_out.values()) == 0
