"""Flows as features under their own names."""

import numpy as np

from sensor.features import FeatureSet
from sensor.features.named import named
from sensor.features.published import IDENTITY
from tests.sensor.features.flows import begun_backward, conversation, flow, lone_datagram

FLOW1 = FeatureSet.load("flow1")


def test_whose_flow_then_its_features_then_a_label():
    columns = named(conversation(), FLOW1)
    assert list(columns) == [*IDENTITY, *FLOW1.names, "Label"]
    assert [next(iter(columns[name])) for name in IDENTITY] == [
        *("192.168.0.7-10.1.2.3-40000-80-6", "192.168.0.7", 40000, "10.1.2.3", 80, 6, "1970-01-01 00:00:01"),
    ]
    assert columns["Label"] == ["NeedManualLabel"]


def test_the_numbers_are_those_of_the_matrix():
    counts = {"src_conns": [0.5, 2.25, 7.125], "pair_fwd_bytes": [10.5, 99.25], "pair_fwd_mean": 3.5}
    kept = flow(seq_size=[1, -1449] + [0] * 10, seq_gap_us=[0, 2**32 - 1] + [0] * 10, context=counts)
    flows = np.concatenate([conversation(), lone_datagram(), begun_backward(), kept])
    columns = named(flows, FLOW1)
    matrix = np.array([columns[name] for name in FLOW1.names]).T
    assert (matrix.astype(np.float32) == FLOW1.extract(flows)).all()


def test_counts_are_whole_numbers():
    columns = named(conversation(), FLOW1)
    kinds = {name: np.asarray(columns[name]).dtype.kind for name in FLOW1.names}
    for name in ("is_tcp", "fwd_pkts", "bwd_payload", "size_max", "pkt12_size", "pkt01_syn"):
        assert kinds[name] == "i"
    for name in ("duration", "size_mean", "fwd_size_std", "gap_max", "src_conns_5s", "pair_fwd_bytes_60s"):
        assert kinds[name] == "f"


def test_no_flows_give_the_names():
    columns = named(conversation()[:0], FLOW1)
    assert {len(values) for values in columns.values()} == {0}
