"""Published columns: found by their headers, whatever surrounds them, and cleaned by one rule."""

import csv
from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.features.published import published
from sensor.features.release import RELEASES
from tests.sensor.features.flows import begun_backward, conversation, lone_datagram, released

CIC = FeatureSet.load("cic2022")


def flows() -> np.ndarray:
    return np.concatenate([conversation(), lone_datagram(), lone_datagram(0), begun_backward()])


def value(matrix: np.ndarray, name: str) -> list[float]:
    return list(matrix[:, CIC.names.index(name)])


@pytest.mark.parametrize(("variant", "release"), [(v, r) for v in RELEASES for r in RELEASES[v]])
def test_columns_give_what_flows_give(variant: str, release: str):
    columns = published(flows(), variant, release)
    assert (CIC.from_columns(columns, variant) == CIC.extract(flows(), variant)).all()


def test_text_and_lists_will_do():
    columns = published(flows(), "cns22")
    texts = {name: [str(v) for v in list(values)] for name, values in columns.items()}
    assert "inf" in texts["Flow Packets/s"]
    texts["Flow Packets/s"] = [text.replace("inf", "Infinity") for text in texts["Flow Packets/s"]]
    assert (CIC.from_columns(texts) == CIC.extract(flows())).all()


def test_blanks_around_headers_do_not_matter():
    columns = published(flows(), "legacy", "cicids2017")
    assert " Flow Duration" in columns
    stripped = {name.strip(): values for name, values in columns.items()}
    assert (CIC.from_columns(stripped, "legacy") == CIC.extract(flows(), "legacy")).all()


def test_a_missing_column_is_named():
    columns = published(flows(), "cns22")
    del columns["Idle Max"]
    with pytest.raises(NettrusionError, match="no column 'Idle Max'; a file of variant cns22 has"):
        CIC.from_columns(columns)
    with pytest.raises(NettrusionError, match="and 81 more"):
        CIC.from_columns({"x": [1]})


def test_a_column_of_words_is_named():
    columns = published(flows(), "cns22") | {"Idle Max": ["long"] * 4}
    with pytest.raises(NettrusionError, match="'Idle Max' holds something that is no number"):
        CIC.from_columns(columns)


@pytest.mark.parametrize(
    ("protocol", "pkts", "printed", "true"),
    [
        (6, 2000, 64000 - 65536, 64000),  # 32 bytes a packet, beyond the largest 16-bit number
        (6, 2800, 89600 - 65536, 89600),  # comes out positive, but less than 20 a packet
        (6, 5000, 160000 - 2 * 65536, 160000),
        (6, 1000, 32000, 32000),
        (6, 3, 24, 24),  # a broken packet, not a wrap: three packets cannot reach 32768 bytes
        (17, 5000, 40000 - 65536, 40000),
        (0, 5000, 0, 0),
    ],
)
def test_header_sums_are_unwrapped(protocol: int, pkts: int, printed: int, true: int):
    columns = published(conversation(), "cns22") | {
        "Protocol": [protocol],
        "Total Fwd Packet": [pkts],
        "Fwd Header Length": [printed],
    }
    assert value(CIC.from_columns(columns), "fwd_header_len") == [true]


def test_no_row_of_the_corrected_release_keeps_a_short_header_sum(shared_data: Path):
    for columns in released(shared_data):
        matrix = CIC.from_columns(columns)
        assert np.isfinite(matrix).all()
        tcp = np.array(value(matrix, "protocol")) == 6
        for side in ("fwd", "bwd"):
            least = 20 * np.array(value(matrix, f"total_{side}_packets"))
            assert (np.array(value(matrix, f"{side}_header_len")) >= least)[tcp].all()


def test_the_first_release_can_be_read(shared_data: Path):
    path = next((shared_data / "cicids2017_original_header").glob("*.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    columns = {name: np.array(values) for name, *values in zip(*table, strict=True)}
    matrix = CIC.from_columns(columns, "legacy")
    assert matrix.shape == (299, len(CIC.features))
    # No window is -1 there, and a number like any other feature's here.
    assert (columns[" Init_Win_bytes_backward"] == "-1").any()
    assert matrix.min() == -1  # of the ICMP columns, which the release does not have
    assert min(value(matrix, "init_win_bytes_bwd")) == 0
