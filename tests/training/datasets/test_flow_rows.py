"""Records of other programs become rows that features and rules read like the engine's own."""

from dataclasses import replace

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.flows import FLOW_DTYPE, Reason, State
from tests.training import made
from training.datasets import flow_rows
from training.datasets.conversations import packed
from training.datasets.flow_rows import LabelledFlows, Row
from training.datasets.manifest import Manifest, SourceFile

ROW = Row(
    7,
    1_000_000_000,
    3_500_000_000,
    (packed("10.0.0.1"), packed("10.0.0.2")),
    (4000, 80),
    6,
    (3, 2),
    (180, 120),
    (flow_rows.SYN, flow_rows.RST),
    state=State.CLOSED,
)


def labelled(count=6, labels=("benign", "scan", "")):
    flows = flow_rows.assemble([replace(ROW, flow_id=number) for number in range(count)])
    label = np.array([labels[number % len(labels)] for number in range(count)])
    source = SourceFile("a.log", 10, "0" * 64, count)
    return LabelledFlows(flows, label, np.zeros(count, dtype=np.int64), [source], about=["a log"], dropped={"cut": 2})


def test_a_row_has_what_the_record_knows_and_nothing_else():
    (flow,) = flow_rows.assemble([ROW])
    assert flow.dtype == FLOW_DTYPE
    assert (flow["src"][:4].tolist(), flow["dst_port"], flow["ip_version"]) == ([10, 0, 0, 1], 80, 4)
    assert (flow["fwd"]["pkts"], flow["fwd"]["ip_bytes"], flow["fwd"]["bytes"]) == (3, 180, 180 + 3 * 14)
    assert (flow["reason"], flow["bwd_flags"]) == (Reason.RST, flow_rows.RST)
    assert flow["seq_size"].sum() == 0


def test_features_of_the_set_that_asks_for_no_more():
    sets = FeatureSet.load("iscx2012")
    values = dict(zip(sets.names, sets.extract(flow_rows.assemble([ROW]))[0].tolist(), strict=True))
    assert (values["duration_s"], values["fwd_pkts"], values["bwd_ip_bytes"]) == (2, 3, 120)
    assert (values["fwd_syn"], values["bwd_rst"], values["is_tcp"]) == (1, 1, 1)


def test_ipv6_and_icmp():
    row = replace(
        ROW, ends=(packed("2001:db8::1"), packed("2001:db8::2")), proto=58, ports=(0, 0), icmp=(128, 0), flags=(0, 0)
    )
    (flow,) = flow_rows.assemble([row])
    assert (flow["ip_version"], flow["icmp_type"], flow["reason"]) == (6, 128, Reason.IDLE)


def test_the_table_keeps_labelled_rows_and_counts_the_others():
    manifest = Manifest(label_rule="rule", errata=[])
    table = labelled().table("a log", FeatureSet.load("iscx2012"), "iscx2012", 100, manifest)
    assert table.labels == ("benign", "scan")
    assert len(table) == 4
    assert manifest.dropped == {"cut": 2, f"records: {flow_rows.UNLABELLED}": 2}
    assert manifest.kept == {"benign": 2, "scan": 2}
    assert manifest.about == ["a log"]


def test_another_feature_set_is_refused_with_a_way_out():
    with pytest.raises(NettrusionError, match="feed the feature set iscx2012 alone, not cic2022; that one needs"):
        labelled().table("a log", made.feature_set(), "cns22", 100, Manifest("rule", []))


def test_records_without_any_label_are_refused():
    with pytest.raises(NettrusionError, match=r"a\.log: no record has a label"):
        labelled(labels=("",)).table("a log", FeatureSet.load("iscx2012"), "iscx2012", 100, Manifest("rule", []))


def test_files_are_put_one_behind_the_other():
    both = flow_rows.joined([labelled(), labelled(3)])
    assert both.file.tolist() == [0] * 6 + [1] * 3
    assert both.dropped == {"cut": 4}
    assert len(both.files) == 2
    assert both.about == ["a log"]
