"""What hosts have been doing, as features: names, shares, and how alike a pair's connections are."""

from typing import Any

import numpy as np
import pytest

from sensor.features.context import NAMES, context
from sensor.flows import FLOW_DTYPE
from tests.sensor.features.flows import flow


def row(payload: tuple[int, int] = (0, 0), **counts: Any) -> dict[str, float]:
    got = context(flow(context=counts), *(np.array([float(amount)]) for amount in payload))
    return {name: float(values[0]) for name, values in got.items()}


def test_every_number_has_a_name_in_the_order_of_the_record():
    assert len(NAMES) * 4 == FLOW_DTYPE["context"].itemsize
    assert NAMES[:12] == (
        *("src_conns_5s", "src_conns_60s", "src_conns_600s", "src_fails_5s", "src_fails_60s", "src_fails_600s"),
        *("src_peers_60s", "src_peers_600s", "src_ports_60s", "src_ports_600s", "src_open", "dst_conns_5s"),
    )
    assert {"pair_fwd_bytes_60s", "pair_done", "pair_gap_cv", "pair_time_mean"} < set(NAMES)
    flows = np.zeros(2, FLOW_DTYPE)
    flows["context"] = np.arange(2 * len(NAMES), dtype=np.float32).view(FLOW_DTYPE["context"])
    got = context(flows, np.zeros(2), np.zeros(2))
    assert [got[name].tolist() for name in NAMES] == [[at, at + len(NAMES)] for at in range(len(NAMES))]
    assert got["pair_ports_600s"][1] == flows["context"]["pair_ports"][1, 1]


def test_nobody_kept_count():
    assert set(row((100, 200)).values()) == {0}


@pytest.mark.parametrize("whose", ["src", "dst", "pair"])
def test_shares_of_failed_connections(whose: str):
    got = row((0, 0), **{f"{whose}_conns": [1, 8, 40], f"{whose}_fails": [1, 2, 30]})
    assert (got[f"{whose}_fails_share_60s"], got[f"{whose}_fails_share_600s"]) == (0.25, 0.75)
    assert {value for name, value in got.items() if "_share_" in name and not name.startswith(whose)} == {0}


def test_a_share_is_never_more_than_one():
    # Begun a minute ago and half forgotten, failed just now.
    assert row(src_conns=[0, 0.5, 0.9], src_fails=[1, 1, 1])["src_fails_share_60s"] == 1
    assert row(src_conns=[0, 0, 1e-30], src_peers=[0, 1])["src_peers_share_600s"] == 1


def test_how_the_initiator_spreads_its_connections():
    got = row(src_conns=[0, 0, 50], src_peers=[5, 40], pair_conns=[0, 0, 20])
    assert got["pair_conns_share_600s"] == pytest.approx(0.4)
    assert got["src_peers_share_600s"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("payload", "usual", "fwd", "bwd"),
    [
        ((99, 0), (99, 0), 1, 1),
        ((99, 9), (199, 0), 0.5, 0.1),
        ((199, 0), (99, 9), 0.5, 0.1),  # the same the other way round
    ],
)
def test_how_much_a_flow_is_like_the_others_of_its_pair(
    payload: tuple[int, int], usual: tuple[int, int], fwd: float, bwd: float
):
    got = row(payload, pair_done=2, pair_fwd_mean=usual[0], pair_bwd_mean=usual[1])
    assert [got["pair_fwd_alike"], got["pair_bwd_alike"]] == pytest.approx([fwd, bwd])


@pytest.mark.parametrize(("done", "alike"), [(0, 0), (1, 0), (1.49, 0), (1.5, 1)])
def test_a_flow_is_not_compared_with_itself_alone(done: float, alike: float):
    assert row((7, 7), pair_done=done, pair_fwd_mean=7, pair_bwd_mean=7)["pair_bwd_alike"] == alike


def test_no_flows():
    assert {len(values) for values in context(flow()[:0], np.zeros(0), np.zeros(0)).values()} == {0}
