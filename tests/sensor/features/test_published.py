"""Tables of flows: headers, order, identity, and what stays undefined in them."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features.published import addresses, published, release_of, timestamps
from tests.sensor.features.flows import US, conversation, flow, lone_datagram


@pytest.mark.parametrize(
    ("variant", "release", "file"),
    [
        ("cns22", None, "golden/mix5k.cns22.csv"),
        ("fork", None, "golden/mix5k.fork.csv"),
        ("legacy", "cse2018", "golden/mix5k.v2017.csv"),
    ],
)
def test_headers_in_the_published_order(shared_data: Path, variant: str, release: str | None, file: str):
    with (shared_data / file).open(encoding="utf-8", newline="") as rows:
        header = next(csv.reader(rows))
    assert list(published(conversation(), variant, release)) == header


def test_headers_of_the_first_release(shared_data: Path):
    path = next((shared_data / "cicids2017_original_header").glob("*.csv"))
    with path.open(encoding="utf-8", newline="") as rows:
        header = next(csv.reader(rows))
    ours = list(published(conversation(), "legacy", "cicids2017"))
    # Its second ` Fwd Header Length` needs a name of its own.
    assert [name.removesuffix(".1") for name in ours] == header
    assert len(set(ours)) == len(ours)


def test_who_and_when():
    columns = published(conversation(), "cns22")
    assert [next(iter(columns[name])) for name in list(columns)[:8]] == [
        "192.168.0.7-10.1.2.3-40000-80-6",
        "192.168.0.7",
        40000,
        "10.1.2.3",
        80,
        6,
        "1970-01-01 00:00:01",
        150,
    ]
    assert columns["Label"] == ["NeedManualLabel"]


@pytest.mark.parametrize(
    ("src", "dst", "expected"),
    [
        ("192.168.0.7", "10.1.2.3", "192.168.0.7-10.1.2.3-40000-80-6"),  # 192 is -64
        ("10.1.2.3", "192.168.0.7", "192.168.0.7-10.1.2.3-80-40000-6"),
        ("10.1.2.3", "10.1.2.4", "10.1.2.3-10.1.2.4-40000-80-6"),
        ("10.1.2.200", "10.1.2.4", "10.1.2.200-10.1.2.4-40000-80-6"),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3-10.1.2.3-40000-80-6"),
    ],
)
def test_the_legacy_flow_id_puts_the_smaller_signed_address_first(src: str, dst: str, expected: str):
    flows = flow(src=src, dst=dst, src_port=40000, dst_port=80)
    assert published(flows, "legacy")["Flow ID"] == [expected]
    assert published(flows, "legacy")["Src IP"] == [src]
    assert published(flows, "fork")["Flow ID"] == [f"{src}-{dst}-40000-80-6"]


def test_addresses_of_both_kinds_and_of_none():
    six = flow(ip_version=6)
    six["src"][0, -1] = 1
    flows = np.concatenate([six, conversation(), flow(ip_version=0)])
    assert addresses(flows, "src") == ["::1", "192.168.0.7", "0.0.0.0"]


@pytest.mark.parametrize(
    ("us", "iso", "clock"),
    [
        (0, "1970-01-01 00:00:00", "01/01/1970 12:00:00"),
        (1_500_000, "1970-01-01 00:00:01.500", "01/01/1970 12:00:01"),
        (1_000_001, "1970-01-01 00:00:01.000001", "01/01/1970 12:00:01"),
        (46_800_000_000, "1970-01-01 13:00:00", "01/01/1970 01:00:00"),
        (-1, "1969-12-31 23:59:59.999999", "31/12/1969 11:59:59"),
    ],
)
def test_times_as_the_versions_write_them(us: int, iso: str, clock: str):
    times = np.array([us * US])
    assert timestamps(times, "cns22") == timestamps(times, "fork") == [iso]
    assert timestamps(times, "legacy") == [clock]


def test_any_64_bit_time_can_be_written():
    times = np.array([2**63 - 1, -(2**63) + 1])
    assert timestamps(times, "cns22")[0].startswith("2262-04-11")


def test_numbers_are_whole_where_the_file_has_whole_numbers():
    columns = published(np.concatenate([conversation(), lone_datagram()]), "cns22")
    kinds = {name: values.dtype.kind for name, values in columns.items() if isinstance(values, np.ndarray)}
    for name in ("Flow Duration", "SYN Flag Count", "Subflow Fwd Bytes", "Total TCP Flow Time"):
        assert kinds[name] == "i"
    for name in ("Flow Bytes/s", "Flow IAT Max", "Down/Up Ratio", "Packet Length Variance"):
        assert kinds[name] == "f"
    fork = published(conversation(), "fork")
    assert isinstance(fork["Subflow Fwd Bytes"], np.ndarray)
    assert fork["Subflow Fwd Bytes"].dtype.kind == "f"


def test_what_is_undefined_stays_so_in_a_table():
    columns = published(lone_datagram(), "cns22")
    assert columns["Flow Bytes/s"] == [math.inf]
    assert np.isnan(columns["Flow IAT Mean"])
    assert published(lone_datagram(), "fork")["Flow Bytes/s"] == [-1]


def test_no_flows_give_the_headers():
    columns = published(conversation()[:0], "legacy")
    assert len(columns) == 84
    assert {len(values) for values in columns.values()} == {0}


def test_unknown_variants_and_releases_are_refused():
    with pytest.raises(NettrusionError, match="cns22, fork, legacy"):
        release_of("master")
    with pytest.raises(NettrusionError, match="cse2018 or cicids2017, not cns22"):
        release_of("legacy", "cns22")
