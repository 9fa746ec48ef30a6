"""Tables: what ends up in the file, read back by other programs' readers."""

import csv
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from sensor.errors import NettrusionError
from sensor.features import FeatureSet, table
from sensor.features.published import published
from sensor.features.table import Columns, open_table, same_file
from tests.sensor.features.flows import begun_backward, conversation, lone_datagram


def flows() -> np.ndarray:
    return np.concatenate([conversation(), lone_datagram(), lone_datagram(0), begun_backward()])


def test_csv_is_text_as_the_tool_writes_it(tmp_path: Path):
    path = tmp_path / "flows.csv"
    columns: Columns = {
        "name": ["a", 'b,"c'],
        "whole": np.array([1, -1]),
        "real": np.array([0.1, math.nan]),
        "rate": np.array([math.inf, -math.inf]),
    }
    with open_table(path) as out:
        out.write(columns)
        out.write(columns)
    body = 'a,1,0.1,Infinity\n"b,""c",-1,NaN,-Infinity\n'
    assert path.read_text() == "name,whole,real,rate\n" + body * 2


def test_csv_comes_back_as_the_same_features(tmp_path: Path):
    path = tmp_path / "flows.csv"
    with open_table(path) as out:
        out.write(published(flows(), "cns22"))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    columns = {name: np.array(values) for name, *values in zip(*rows, strict=True)}
    feature_set = FeatureSet.load("cic2022")
    assert (feature_set.from_columns(columns) == feature_set.extract(flows())).all()


def test_a_header_that_the_release_has_twice_is_twice_in_the_file(tmp_path: Path):
    path = tmp_path / "flows.csv"
    with open_table(path) as out:
        out.write(published(flows(), "legacy", "cicids2017"))
    header = path.read_text().splitlines()[0].split(",")
    assert header.count(" Fwd Header Length") == 2


def test_parquet_comes_back_as_the_same_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the package pyarrow")
    monkeypatch.setattr(table, "ROW_GROUP_ROWS", 4)
    path = tmp_path / "flows.parquet"
    columns = published(flows(), "cns22")
    with open_table(path) as out:
        out.write(published(flows()[:0], "cns22"))
        for at in range(4):
            out.write(published(flows()[at : at + 1], "cns22"))
        out.write(columns)
        out.write(published(flows()[:1], "cns22"))
    read = parquet.read_table(path)
    assert parquet.ParquetFile(path).num_row_groups == 3
    assert read.column_names == list(columns)
    for name, values in columns.items():
        got = read.column(name).to_pylist()
        twice = list(values) * 2 + list(values)[:1]
        assert got == twice or np.array_equal(np.array(got), np.array(twice), equal_nan=True), name


def test_parquet_without_rows_has_its_columns(tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the package pyarrow")
    path = tmp_path / "none.parquet"
    with open_table(path) as out:
        out.write(published(flows()[:0], "fork"))
    assert parquet.read_table(path).shape == (0, 94)


def test_parquet_without_its_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NettrusionError, match=r"pip install 'nettrusion\[parquet\]'"):
        open_table(tmp_path / "flows.parquet")
    assert not (tmp_path / "flows.parquet").exists()


def test_another_ending_is_refused(tmp_path: Path):
    with pytest.raises(NettrusionError, match=r"ends in \.csv or \.parquet"):
        open_table(tmp_path / "flows.xlsx")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NettrusionError, match="cannot write the table: No such file"):
        open_table(tmp_path / "no" / "flows.csv")


def test_one_file_under_two_names(tmp_path: Path):
    file, link = tmp_path / "a", tmp_path / "b"
    assert not same_file(file, link)
    file.touch()
    link.symlink_to(file)
    assert same_file(file, link)
    assert not same_file("-", file)
