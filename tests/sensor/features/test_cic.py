"""The CICFlowMeter formulas, against values worked out by hand."""

import math

import numpy as np
import pytest

from sensor.features import cic
from sensor.features.variants import QUIRKS
from tests.sensor.features.flows import (
    ICMP,
    US,
    begun_backward,
    conversation,
    counted,
    flow,
    lone_datagram,
)

VARIANTS = tuple(QUIRKS)

# The conversation, where all three variants agree.
SHARED: dict[str, float] = {
    "protocol": 6,
    "flow_duration": 150,
    "total_fwd_packets": 3,
    "total_bwd_packets": 2,
    "total_len_fwd": 150,
    "total_len_bwd": 0,
    "fwd_pkt_len_max": 100,
    "fwd_pkt_len_min": 0,
    "fwd_pkt_len_mean": 50,
    "fwd_pkt_len_std": 50,
    "fwd_seg_size_avg": 50,
    "bwd_pkt_len_max": 0,
    "bwd_pkt_len_std": 0,
    "flow_bytes_per_s": 1e6,
    "flow_pkts_per_s": 5 / 150e-6,
    "fwd_pkts_per_s": 3 / 150e-6,
    "bwd_pkts_per_s": 2 / 150e-6,
    "flow_iat_mean": 37.5,
    "flow_iat_std": math.sqrt(2875 / 3),
    "flow_iat_max": 80,
    "flow_iat_min": 10,
    "fwd_iat_total": 70,
    "fwd_iat_mean": 35,
    "fwd_iat_std": math.sqrt(50),
    "fwd_iat_max": 40,
    "fwd_iat_min": 30,
    "bwd_iat_total": 140,
    "bwd_iat_std": 0,
    "fwd_header_len": 104,
    "bwd_header_len": 60,
    "pkt_len_min": 0,
    "pkt_len_max": 100,
    "avg_packet_size": 30,
    "init_win_bytes_fwd": 1000,
    "fwd_act_data_pkts": 2,
    "fwd_seg_size_min": 32,
    "active_mean": 0,
    "idle_max": 0,
    "bwd_psh_flags": 0,
    "bwd_urg_flags": 0,
}
CORRECTED: dict[str, float] = {
    "pkt_len_mean": 30,
    "pkt_len_std": math.sqrt(2000),
    "pkt_len_var": 2000,
    "syn_flag_count": 2,
    "ack_flag_count": 4,
    "psh_flag_count": 2,
    "rst_flag_count": 1,
    "fin_flag_count": 0,
    "fwd_psh_flags": 2,
    "fwd_rst_flags": 0,
    "bwd_rst_flags": 1,
    "down_up_ratio": 2 / 3,
    "icmp_code": -1,
    "icmp_type": -1,
}
OWN: dict[str, dict[str, float]] = {
    "cns22": CORRECTED
    | {
        "subflow_fwd_pkts": 0,
        "subflow_fwd_bytes": 30,
        "subflow_bwd_pkts": 0,
        "init_win_bytes_bwd": 0,
    },
    "fork": CORRECTED
    | {
        "subflow_fwd_pkts": 0,
        "subflow_fwd_bytes": 0,
        "init_win_bytes_bwd": 2000,
        "bwd_act_data_pkts": 0,
        "bwd_seg_size_min": 0,
    },
    "legacy": {
        # The first payload, 0, is counted once more: 0 0 0 100 50 0.
        "pkt_len_mean": 25,
        "pkt_len_var": 1750,
        # The first packet's SYN stands under PSH, and nothing under SYN.
        "psh_flag_count": 1,
        "syn_flag_count": 0,
        "ack_flag_count": 0,
        "fwd_psh_flags": 0,
        "down_up_ratio": 0,
        "subflow_fwd_pkts": 3,
        "subflow_fwd_bytes": 150,
        "subflow_bwd_pkts": 2,
        "init_win_bytes_bwd": 0,
    },
}


def row(flows: np.ndarray, variant: str) -> dict[str, float]:
    return {name: value[0] for name, value in cic.columns(flows, variant).items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_conversation(variant: str):
    got = row(conversation(), variant)
    expected = SHARED | OWN[variant]
    assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("variant", "payload", "bytes_rate", "pkts_rate", "gap"),
    [
        ("cns22", 48, math.inf, math.inf, math.nan),
        ("cns22", 0, math.nan, math.inf, math.nan),
        ("legacy", 48, math.inf, math.inf, math.nan),
        ("fork", 48, -1, -1, 0),
        ("fork", 0, -1, -1, 0),
    ],
)
def test_a_flow_without_duration(variant: str, payload: int, bytes_rate: float, pkts_rate: float, gap: float):
    got = row(lone_datagram(payload), variant)
    assert got["flow_bytes_per_s"] == pytest.approx(bytes_rate, nan_ok=True)
    assert got["flow_pkts_per_s"] == pkts_rate
    assert [got[f"flow_iat_{what}"] for what in ("mean", "std", "max", "min")] == pytest.approx([gap] * 4, nan_ok=True)
    assert got["fwd_pkts_per_s"] == 0
    assert got["fwd_iat_total"] == 0
    assert got["pkt_len_min"] == payload
    assert got["pkt_len_std"] == 0


@pytest.mark.parametrize(("variant", "none"), [("cns22", 0), ("fork", 0), ("legacy", -1)])
def test_there_is_no_window_without_tcp(variant: str, none: int):
    got = row(lone_datagram(), variant)
    assert (got["init_win_bytes_fwd"], got["init_win_bytes_bwd"]) == (none, none)


def test_the_first_payload_counts_twice_in_legacy():
    got = row(lone_datagram(48), "legacy")
    assert got["pkt_len_mean"] == 48
    assert got["avg_packet_size"] == 96
    assert got["fwd_pkt_len_mean"] == 48


def test_the_first_packet_is_left_out_where_it_went():
    cns22, fork = row(begun_backward(), "cns22"), row(begun_backward(), "fork")
    assert (cns22["fwd_rst_flags"], cns22["bwd_rst_flags"]) == (1, 1)
    assert (fork["fwd_rst_flags"], fork["bwd_rst_flags"]) == (1, 2)
    assert (cns22["fwd_act_data_pkts"], fork["fwd_act_data_pkts"]) == (1, 1)
    assert row(lone_datagram(), "cns22")["fwd_act_data_pkts"] == 0
    assert row(lone_datagram(), "fork")["fwd_act_data_pkts"] == 1
    assert (cns22["init_win_bytes_bwd"], fork["init_win_bytes_bwd"]) == (600, 500)
    assert (cns22["fwd_seg_size_min"], fork["bwd_seg_size_min"]) == (0, 20)
    assert cns22["init_win_bytes_fwd"] == 0
    assert fork["bwd_act_data_pkts"] == 3


def test_subflows_divide_by_packets_gaps_or_nothing():
    divided = {v: row(begun_backward(), v)["subflow_bwd_bytes"] for v in VARIANTS}
    assert divided == {"cns22": 30 // 4, "fork": 15, "legacy": 30}
    assert row(lone_datagram(), "cns22")["subflow_fwd_pkts"] == 1


def test_bulks_are_cut_exact_or_none():
    bulk = {"bulk_count": 2, "bulk_pkts": 9, "bulk_bytes": 1001, "bulk_ns": 3000 * US}
    flows = flow(fwd={"pkts": 9, "payload": 1001} | bulk)
    names = ("fwd_bytes_bulk_avg", "fwd_pkts_bulk_avg", "fwd_bulk_rate_avg")
    got = {v: [row(flows, v)[name] for name in names] for v in VARIANTS}
    assert got["cns22"] == [500, 4, 333666]
    assert got["fork"] == pytest.approx([500.5, 4.5, 1001 / 0.003])
    assert got["legacy"] == [0, 0, 0]


@pytest.mark.parametrize(
    ("variant", "numbers"),
    [
        ("cns22", {1: 1, 2: 0, 6: 6, 17: 17, 58: 0, 132: 0}),
        ("fork", {1: 1, 2: 2, 6: 6, 17: 17, 58: 0, 132: 132}),
        ("legacy", {1: 0, 2: 0, 6: 6, 17: 17, 58: 0, 132: 0}),
    ],
)
def test_which_protocols_have_a_number(variant: str, numbers: dict[int, int]):
    flows = np.concatenate([flow(proto=number) for number in numbers])
    assert cic.columns(flows, variant)["protocol"].tolist() == list(numbers.values())


def test_icmp_type_and_code_are_those_of_icmp_alone():
    echo = row(flow(proto=ICMP, icmp_type=8, icmp_code=0), "cns22")
    assert (echo["icmp_type"], echo["icmp_code"]) == (8, 0)
    six = row(flow(proto=58, icmp_type=128, icmp_code=0), "cns22")
    assert (six["icmp_type"], six["icmp_code"]) == (-1, -1)


def test_connection_time_is_told_for_tcp_and_by_fork_for_the_rest():
    tcp, udp = begun_backward(), begun_backward()
    udp["proto"] = 17
    times = [row(f, v)["total_tcp_flow_time"] for v in ("cns22", "fork") for f in (tcp, udp)]
    assert times == [9e6, 0, 9e6, 9e6]


def test_legacy_flags_stand_under_each_others_names():
    held = {"fin": "rst", "syn": "psh", "rst": "ece", "psh": "syn"}
    held |= {"ack": "ack", "urg": "fin", "cwr": "urg", "ece": "cwr"}
    for column, flag in held.items():
        bits = sum(bool(count) << bit for bit, count in enumerate(counted(**{flag: 1})))
        got = row(flow(first_flags=bits), "legacy")
        assert [n for n in held if got[f"{n}_flag_count"]] == [column]
    assert "fwd_rst_flags" not in cic.columns(flow(), "legacy")


def test_time_that_went_back_gives_negative_times_and_no_rate_by_direction():
    got = row(flow(start_ns=10 * US, end_ns=3 * US, fwd={"pkts": 2, "payload": 7}), "cns22")
    assert got["flow_duration"] == -7
    assert got["flow_bytes_per_s"] == pytest.approx(-1e6)
    assert got["fwd_pkts_per_s"] == 0


def test_a_row_does_not_depend_on_its_batch():
    flows = np.concatenate([conversation(), lone_datagram(), begun_backward()])
    for variant in VARIANTS:
        whole = cic.columns(flows, variant)
        for at in range(3):
            one = cic.columns(flows[at : at + 1], variant)
            assert {n: v[0] for n, v in one.items()} == pytest.approx(
                {n: v[at] for n, v in whole.items()}, nan_ok=True, rel=0
            )


def test_no_flows_give_no_rows():
    assert {v.shape for v in cic.columns(conversation()[:0], "cns22").values()} == {(0,)}
