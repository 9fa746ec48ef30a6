"""The features of set flow1: by hand, against the corrected release, and of nothing else than they should be."""

import gzip
import math
import re
from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet, flow1
from sensor.features.context import NAMES
from sensor.features.published import published
from sensor.flows import FLOW_DTYPE, PROFILES, FlowEngine, Framing
from tests.sensor.features import golden
from tests.sensor.features.flows import (
    ACK,
    ICMP,
    PSH,
    RST,
    SYN,
    begun_backward,
    conversation,
    flow,
    gaps,
    lone_datagram,
    released,
)

FLOW1 = FeatureSet.load("flow1")
STATISTICS = FLOW1.names.index("pkt01_size")
HOSTS = FLOW1.names.index("src_conns_5s")

# All that the set may look at; times of the flow are looked at as their difference.
READ = {
    "iat", "active", "idle", "fwd", "bwd", "proto", "first_backward", "first_flags", "first_payload",
    "seq_gap_us", "seq_size", "seq_flags", "context",
}  # fmt: skip
READ_BY_SIDE = {"pkts", "payload", "payload_sq", "payload_min", "payload_max", "data_pkts", "flags", "iat"}


def named(matrix: np.ndarray) -> dict[str, float]:
    return dict(zip(FLOW1.names, matrix[0].tolist(), strict=True))


def several() -> np.ndarray:
    return np.concatenate([conversation(), lone_datagram(), lone_datagram(0), begun_backward(), flow(proto=ICMP)])


def test_three_parts_in_order():
    sequence = FLOW1.names[STATISTICS:HOSTS]
    assert sequence[:6] == ("pkt01_size", "pkt01_gap_us", "pkt01_syn", "pkt01_fin", "pkt01_rst", "pkt01_psh")
    assert [name[:5] for name in sequence] == [f"pkt{at:02}" for at in range(1, 13) for _ in range(6)]
    assert FLOW1.names[HOSTS : HOSTS + len(NAMES)] == NAMES
    assert len(FLOW1.names) - HOSTS - len(NAMES) == 10


def test_the_file_and_the_formulas_know_the_same_features():
    assert set(flow1.columns(several(), "flow1")) == set(FLOW1.names)
    assert set(flow1.read(published(several(), "cns22"), "flow1", FLOW1.features)) == set(FLOW1.names[:STATISTICS])


def test_what_training_stretches_is_told_by_units():
    # A slower network: times in us grow, rates sink; what the context tells in seconds stays.
    units = {feature.name: feature.unit for feature in FLOW1.features}
    assert {name for name, unit in units.items() if unit == "us"} == {
        *("duration", "active_mean", "idle_mean"),
        *(f"{side}gap_{what}" for side in ("", "fwd_", "bwd_") for what in ("mean", "std", "max", "min")),
        *(f"pkt{at:02}_gap_us" for at in range(1, 13)),
    }
    assert {name for name, unit in units.items() if unit.endswith("/s")} == {
        name for name in FLOW1.names if name.endswith("_per_s")
    }
    assert {name for name, unit in units.items() if unit == "s"} == {"pair_gap_mean", "pair_time_mean"}


def test_a_conversation():
    got = named(FLOW1.extract(conversation()))
    expected = {
        "is_tcp": 1,
        "is_udp": 0,
        "is_icmp": 0,
        "duration": 150,
        "fwd_pkts": 3,
        "bwd_pkts": 2,
        "fwd_payload": 150,
        "bwd_payload": 0,
        "fwd_size_mean": 50,
        "fwd_size_std": 50,
        "fwd_size_max": 100,
        "fwd_size_min": 0,
        "bwd_size_mean": 0,
        "bwd_size_std": 0,
        "bwd_size_max": 0,
        "bwd_size_min": 0,
        "size_mean": 30,
        "size_std": math.sqrt(2000),
        "size_max": 100,
        "size_min": 0,
        "gap_mean": 37.5,
        "gap_std": math.sqrt(2875 / 3),
        "gap_max": 80,
        "gap_min": 10,
        "fwd_gap_mean": 35,
        "fwd_gap_std": math.sqrt(50),
        "fwd_gap_max": 40,
        "fwd_gap_min": 30,
        "bwd_gap_mean": 140,
        "bwd_gap_std": 0,
        "bwd_gap_max": 140,
        "bwd_gap_min": 140,
        "fin_pkts": 0,
        "syn_pkts": 2,
        "rst_pkts": 1,
        "psh_pkts": 2,
        "ack_pkts": 4,
        "bwd_rst_pkts": 1,
        "fwd_data_pkts": 2,
        "pkts_per_s": 5 / 150e-6,
        "payload_per_s": 1e6,
        "fwd_pkts_per_s": 2e4,
        "bwd_pkts_per_s": 2 / 150e-6,
        "fwd_payload_per_s": 1e6,
        "bwd_payload_per_s": 0,
        "bwd_pkts_share": 0.4,
        "bwd_payload_share": 0,
        "active_mean": 0,
        "idle_mean": 0,
    }
    assert tuple(expected) == FLOW1.names[:STATISTICS]
    assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_the_first_packets():
    flows = flow(
        seq_size=[1, -1, 101, -1449] + [0] * 8,
        seq_gap_us=[0, 10, 20, 2**32 - 1] + [0] * 8,
        seq_flags=[SYN, SYN | ACK, PSH | ACK, RST] + [0] * 8,
    )
    got = named(FLOW1.extract(flows))
    assert [got[f"pkt{at:02}_size"] for at in (1, 2, 3, 4, 5, 12)] == [1, -1, 101, -1449, 0, 0]
    assert [got[f"pkt{at:02}_gap_us"] for at in (1, 2, 3, 4, 5)] == [0, 10, 20, 2**32, 0]
    for name, bits in {"syn": [1, 1, 0, 0], "psh": [0, 0, 1, 0], "rst": [0, 0, 0, 1], "fin": [0] * 4}.items():
        assert [got[f"pkt{at:02}_{name}"] for at in (1, 2, 3, 4)] == bits


def test_the_hosts():
    flows = flow(
        fwd={"pkts": 1, "payload": 9},
        context={"src_conns": [1, 2, 3], "pair_done": 2, "pair_fwd_mean": 19, "pair_fails": [0, 0, 1]}
        | {"pair_conns": [0, 1, 2], "dst_open": 7},
    )
    got = named(FLOW1.extract(flows))
    assert (got["src_conns_5s"], got["src_conns_600s"], got["dst_open"], got["pair_conns_60s"]) == (1, 3, 7, 1)
    assert (got["pair_fwd_alike"], got["pair_bwd_alike"], got["pair_fails_share_600s"]) == (0.5, 1, 0.5)


def test_a_lone_packet_has_no_rate_no_gap_no_deviation():
    got = named(FLOW1.extract(lone_datagram(48)))
    assert (got["size_min"], got["size_max"], got["size_mean"], got["is_udp"]) == (48, 48, 48, 1)
    zero = [name for name in FLOW1.names[:STATISTICS] if "gap" in name or name.endswith(("_per_s", "_std"))]
    assert len(zero) == 21
    assert {got[name] for name in zero} == {0}


@pytest.mark.parametrize(("end_ns", "rate"), [(0, 0), (999, 0), (1000, 2e6), (-1000, 0)])
def test_a_time_below_the_clock_of_captures_gives_no_rate(end_ns: int, rate: float):
    got = named(FLOW1.extract(flow(end_ns=end_ns, fwd={"pkts": 2})))
    assert got["pkts_per_s"] == got["fwd_pkts_per_s"] == rate
    assert got["duration"] == pytest.approx(max(end_ns / 1000, 0))


def test_active_and_idle_periods():
    got = named(FLOW1.extract(flow(active=gaps(3, 5), idle=gaps(6_000_000, 8_000_000))))
    assert (got["active_mean"], got["idle_mean"]) == (4, 7_000_000)


def test_a_clock_that_goes_back_gives_no_negative_gap():
    assert named(FLOW1.extract(flow(iat=gaps(-50, 10))))["gap_min"] == 0


@pytest.mark.parametrize("side", ["fwd", "bwd"])
def test_one_way_only(side: str):
    pkts = {"pkts": 2, "payload": 30, "payload_sq": 500, "payload_max": 20, "payload_min": 10}
    got = named(FLOW1.extract(flow(**{side: pkts})))
    assert (got["size_min"], got["size_max"], got["size_mean"]) == (10, 20, 15)
    assert got["size_std"] == got[f"{side}_size_std"] == pytest.approx(math.sqrt(50))
    assert got["bwd_pkts_share"] == got["bwd_payload_share"] == (side == "bwd")


def test_what_leaves_the_first_packet_out():
    got = named(FLOW1.extract(begun_backward()))
    assert (got["rst_pkts"], got["bwd_rst_pkts"], got["fwd_data_pkts"]) == (3, 1, 1)
    assert named(FLOW1.extract(lone_datagram()))["fwd_data_pkts"] == 0


@pytest.mark.parametrize(("number", "kind"), [(6, "tcp"), (17, "udp"), (1, "icmp"), (58, "icmp"), (47, None)])
def test_protocols(number: int, kind: str | None):
    got = named(FLOW1.extract(flow(proto=number)))
    assert [name for name in ("tcp", "udp", "icmp") if got[f"is_{name}"]] == ([kind] if kind else [])


def documented(name: str) -> list[str]:
    """Return the features that a name in the document's table stands for: `a_{b,c}` is a_b and a_c."""
    head, choice, tail = re.fullmatch(r"([^{]*)(?:{([^}]*)})?(.*)", name).groups()  # type: ignore[union-attr]
    return [head + one + rest for one in (choice or "").split(",") for rest in (documented(tail) if tail else [""])]


def test_the_document_has_every_feature_in_order(repo: Path):
    text = (repo / "docs" / "features.md").read_text(encoding="utf-8").split("## The set flow1\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", text, re.MULTILINE)
    told = [(name, unit) for pattern, unit in rows for name in documented(pattern)]
    packet = [row for row in told if row[0].startswith("pktNN")]
    at = told.index(packet[0])
    told[at : at + len(packet)] = [
        (name.replace("NN", f"{nth:02}"), unit) for nth in range(1, 13) for name, unit in packet
    ]
    assert told == [(feature.name, feature.unit) for feature in FLOW1.features]
    assert f"`flow1.json` ({len(FLOW1.features)})" in (repo / "docs" / "features.md").read_text(encoding="utf-8")


@pytest.mark.golden
@pytest.mark.parametrize("capture", golden.CAPTURES)
def test_the_corrected_release_and_packets_give_the_same_statistics(shared_data: Path, capture: str):
    folder = shared_data / "golden"
    ours = FLOW1.extract(golden.flows(folder, capture, "cns22"))
    theirs = FLOW1.from_columns(golden.rows(folder, capture, "cns22"))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours[:, :STATISTICS], theirs[:, :STATISTICS], rtol=1e-6, atol=0)
    assert not theirs[:, STATISTICS:].any()


def test_rows_as_published_are_read(shared_data: Path):
    read = 0
    for columns in released(shared_data):
        matrix = FLOW1.from_columns(columns)
        values = dict(zip(FLOW1.names, matrix.T, strict=True))
        assert np.isfinite(matrix).all()
        # What we work out ourselves is what the release says too.
        for ours, theirs in {"size_mean": "Packet Length Mean", "size_std": "Packet Length Std"}.items():
            np.testing.assert_allclose(values[ours], columns[theirs].astype(np.float64), rtol=1e-5, atol=1e-5)
        read += len(matrix)
    assert read > 1000


def test_hand_made_columns_give_what_flows_give():
    flows = several()
    columns = published(flows, "cns22")
    assert (FLOW1.from_columns(columns) == FLOW1.extract(flows)).all()


def test_a_missing_column_is_named():
    columns = published(several(), "cns22")
    del columns["Idle Mean"]
    with pytest.raises(NettrusionError, match="no column 'Idle Mean'; a file of variant cns22 has"):
        FLOW1.from_columns(columns)


@pytest.mark.parametrize(("profile", "counted"), [("wire", True), ("cns22", False)])
def test_the_bundled_capture(repo: Path, profile: str, counted: bool):
    data = gzip.decompress((repo / "sensor" / "data" / "demo.pcap.gz").read_bytes())
    engine = FlowEngine(PROFILES[profile])
    engine.feed(data, Framing.sniff(data))
    engine.finish()
    values = dict(zip(FLOW1.names, FLOW1.extract(engine.take()).T, strict=True))
    # The two features by which a row says what is known of it.
    assert values["pkt01_size"].all()
    assert (values["src_conns_600s"] > 0).all() == (values["src_conns_600s"] != 0).any() == counted
    # The packets are those that the statistics are of.
    sizes = np.stack([values[f"pkt{nth:02}_size"] for nth in range(1, 13)])
    pkts = values["fwd_pkts"] + values["bwd_pkts"]
    assert ((sizes != 0).sum(axis=0) == np.minimum(pkts, 12)).all()
    assert ((sizes < 0).sum(axis=0) == values["bwd_pkts"])[pkts <= 12].all()
    payload = np.maximum(np.abs(sizes) - 1, 0).sum(axis=0)
    assert (payload == values["fwd_payload"] + values["bwd_payload"])[pkts <= 12].all()
    if counted:
        assert (values["pair_conns_600s"] <= values["src_conns_600s"] * 1.001).all()
        assert 0 < values["pair_fwd_alike"].max() <= 1


def test_nothing_else_of_a_record_is_read():
    flows = np.concatenate([conversation(), begun_backward()])
    other = flows.copy()
    noise = np.random.default_rng(1)
    for name in FLOW_DTYPE.names or ():
        if name in READ | {"start_ns", "end_ns"}:
            continue
        other[name] = noise.integers(0, 100, other[name].shape)
    for side in (other["fwd"], other["bwd"]):
        for name in side.dtype.names or ():
            if name not in READ_BY_SIDE:
                side[name] = noise.integers(0, 100, side[name].shape)
    other["start_ns"] += 3600 * 10**9
    other["end_ns"] += 3600 * 10**9
    assert (other["src"] != flows["src"]).any()
    assert (FLOW1.extract(flows) == FLOW1.extract(other)).all()
