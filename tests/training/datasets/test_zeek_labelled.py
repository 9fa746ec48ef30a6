"""Connection logs with labels, in every shape in which they are handed out."""

import json

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from tests.training import made
from training.datasets import zeek_labelled
from training.datasets.audit import audit
from training.splits.parts import Split

FIELDS = [
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes",
    "resp_bytes", "conn_state", "local_orig", "local_resp", "missed_bytes", "history", "orig_pkts", "orig_ip_bytes",
    "resp_pkts", "resp_ip_bytes",
]  # fmt: skip
VALUES = [
    "1545404042.999999", "CUid1", "192.168.1.195", "41040", "185.244.25.235", "80", "tcp", "-", "1.5", "1", "2", "SF",
    "-", "-", "0", "ShADadfF", "3", "180", "2", "120",
]  # fmt: skip


def log(fields, *rows, separator="\t"):
    head = [
        f"#separator \\x{ord(separator):02x}",
        "#set_separator,",
        "#path\tconn",
        separator.join(["#fields", *fields]),
    ]
    return "\n".join([*head, *(separator.join(row) for row in rows), "#close\t2020", ""])


def read(tmp_path, text):
    (tmp_path / "conn.log.labeled").write_text(text)
    return zeek_labelled.read([tmp_path])


def changed(**values):
    return [values.get(name.replace(".", "_"), value) for name, value in zip(FIELDS, VALUES, strict=True)]


def test_labels_that_share_the_last_column(tmp_path):
    fields = [*FIELDS, "tunnel_parents   label   detailed-label"]
    rows = [
        [*VALUES, "(empty)   Malicious   C&C-HeartBeat"],
        [*VALUES, "-   Benign   -"],
        [*VALUES, "-   Malicious   PartOfAHorizontalPortScan"],
    ]
    found = read(tmp_path, log(fields, *rows))
    assert found.label.tolist() == ["bot", "benign", "scan"]
    (flow, *_) = found.flows
    assert flow["start_ns"] == 1_545_404_042_999_999_000
    assert flow["end_ns"] - flow["start_ns"] == 1_500_000_000
    assert (flow["fwd"]["pkts"], flow["bwd"]["ip_bytes"]) == (3, 120)
    # Capitals are the originator's: SYN, ACK, data, FIN; the responder answered with SYN and ACK.
    assert (flow["fwd_flags"], flow["bwd_flags"]) == (2 | 16 | 8 | 1, 2 | 16 | 8 | 1)


def test_labels_in_columns_of_their_own_and_another_separator(tmp_path):
    fields = [*FIELDS, "tunnel_parents", "label", "detailedlabel"]
    rows = [[*changed(history="Sr", conn_state="REJ"), "-", "Malicious", "DDoS"], [*VALUES, "-", "Background", ""]]
    found = read(tmp_path, log(fields, *rows, separator="|"))
    assert found.label.tolist() == ["ddos", ""]
    assert (found.flows[0]["fwd_flags"], found.flows[0]["bwd_flags"]) == (2, 4)


def test_json_lines_and_what_they_leave_out(tmp_path):
    whole = dict(zip(FIELDS, VALUES, strict=True)) | {"label": "normal"}
    short: dict[str, str | int] = {key: whole[key] for key in ("ts", "uid", "id.orig_h", "id.resp_h", "proto")}
    short |= {"label": "attack", "proto": "icmp", "id.orig_p": 8, "id.resp_p": 0}
    found = read(tmp_path, "\n".join([json.dumps(whole), json.dumps(short), '{"ts": 1', "[1]", ""]))
    order = np.argsort(found.flows["proto"])
    assert found.label[order].tolist() == ["malicious", "benign"]
    icmp = found.flows[order[0]]
    assert (icmp["src_port"], icmp["icmp_type"], icmp["fwd"]["pkts"]) == (0, 8, 0)
    assert found.dropped == {zeek_labelled.CUT: 2}
    assert sum(found.mended.values()) == 4


@pytest.mark.parametrize(
    "broken",
    [
        changed(orig_pkts="-3"),
        changed(ts="noon"),
        changed(id_orig_h="host"),
        changed(resp_ip_bytes="99999999999999999999"),
        VALUES[:7],
    ],
)
def test_a_line_that_makes_no_sense_is_counted(tmp_path, broken):
    fields = [*FIELDS, "label"]
    end = ["Benign"] if len(broken) > 7 else []
    found = read(tmp_path, log(fields, [*VALUES, "Benign"], [*broken, *end]))
    assert len(found.flows) == 1
    assert found.dropped == {zeek_labelled.CUT: 1}


@pytest.mark.parametrize(
    ("label", "detail", "means"),
    [
        ("Malicious", "PartOfAHorizontalPortScan-Attack", "scan"),
        ("Malicious", "From_malicious-To_malicious-Malware_data_exfiltration-RemcosRAT", "exfiltration"),
        ("Malicious", "C&C-Torii", "bot"),
        ("malicious", "", "malicious"),
        ("Malicious", "benign", "malicious"),
        ("Benign", "From_benign-To_benign", "benign"),
        ("scan", "", "scan"),
        ("From_malicious-To_benign-DoS_hulk", "", "dos"),
        ("unknown", "(empty)", ""),
        ("-", "-", ""),
    ],
)
def test_what_labels_mean(label, detail, means):
    assert zeek_labelled.class_of(label, detail) == means


def test_logs_without_labels_are_none(tmp_path, shared_data):
    (tmp_path / "conn.log").write_text(log(FIELDS, VALUES))
    (tmp_path / "notes.json").write_text('{"label": 1}\n')
    assert zeek_labelled.find(tmp_path) == []
    with pytest.raises(NettrusionError, match="no labelled conn"):
        zeek_labelled.read([tmp_path])
    assert [path.name for path in zeek_labelled.find(shared_data / "zeek")] == [
        "test18-malicious-ctu-sme-11-win_zeek-labeled_conn.log.labeled"
    ]


def test_a_real_log(shared_data):
    """Of CTU-SME-11: 719 records malicious, 44 benign, 3 unknown."""
    features = FeatureSet.load("iscx2012")
    loaded = zeek_labelled.load([shared_data / "zeek"], features, "iscx2012")
    assert loaded.manifest.kept == {"benign": 44, "exfiltration": 719}
    assert list(loaded.manifest.dropped.values()) == [3]
    assert loaded.manifest.files[0].rows == 766
    table = loaded.table
    assert (np.diff(table.features[:, features.names.index("fwd_pkts")]) != 0).any()
    rows = np.arange(len(table))
    said = audit(table, Split("later the same day", rows[::3], rows[1::3], rows[2::3], rows[:0]))
    assert said.rows == 763
    assert said.duplicate_rows > 0


def test_a_log_feeds_no_model_of_packets(shared_data):
    with pytest.raises(NettrusionError, match="iscx2012 alone"):
        zeek_labelled.load([shared_data / "zeek"], made.feature_set(), "cns22")
