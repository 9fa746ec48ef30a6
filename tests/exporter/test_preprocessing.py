"""Preprocessing: every row becomes finite and bounded, and the graph does what numpy does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from exporter.dirty import dirty_rows
from exporter.preprocessing import LARGEST, Preprocessing
from exporter.sheet import Sheet
from tests.sensor.detector.made import K, sample

import onnxruntime  # isort: skip

ROWS, _ = sample()
FITTED, PLAIN = Preprocessing.fit(ROWS), Preprocessing.plain(ROWS)


def in_graph(preprocessing, rows):
    sheet = Sheet()
    out = preprocessing.write(sheet, "features")
    model = sheet.finish({"features": K}, {"seen": (out, K)}).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": rows})[0]


def test_training_rows_are_centred_and_of_one_size():
    seen = FITTED.apply(ROWS)[:, [0, 1, 2, 3, 5]]
    assert np.abs(seen.mean(axis=0)).max() < 1e-3
    assert np.abs(seen.std(axis=0) - 1).max() < 1e-2
    assert seen.dtype == np.float32


def test_a_column_constant_in_training_moves_nothing():
    rows = ROWS[:3].copy()
    rows[:, 4] = [-1e9, 0, 1e9]
    assert (FITTED.apply(rows)[:, 4] == 0).all()


def test_statistics_stand_large_offsets():
    rows = np.float32(1e9) + np.arange(1000, dtype=np.float32)[:, None] * np.float32(1e5)
    seen = Preprocessing.fit(rows).apply(rows)
    assert abs(float(seen.astype(np.float64).std()) - 1) < 0.02


@pytest.mark.parametrize("preprocessing", [FITTED, PLAIN])
def test_graph_and_numpy_agree_on_dirty_rows(preprocessing):
    rows = dirty_rows(ROWS, 5_000)
    expected, found = preprocessing.apply(rows), in_graph(preprocessing, rows)
    assert np.isfinite(expected).all()
    tolerance = 1e-5 if preprocessing.logarithm else 0
    assert np.abs(expected - found).max() <= tolerance


@given(arrays(np.float32, (1, K), elements=st.floats(width=32)))
def test_any_row_becomes_finite_and_bounded(row):
    assert np.abs(FITTED.apply(row)).max() <= FITTED.limit
    assert np.abs(PLAIN.apply(row)).max() <= np.float32(LARGEST)


def test_not_a_number_is_the_median_and_infinity_the_largest():
    row = np.array([[np.nan, np.inf, -np.inf, 1, 7, 1]], np.float32)
    assert PLAIN.apply(row)[0].tolist() == [PLAIN.fill[0], np.float32(LARGEST), -np.float32(LARGEST), 1, 7, 1]
    assert PLAIN.fill[0] == np.median(ROWS[:, 0])


def test_a_scale_of_zero_silences_a_feature_of_a_forest_too():
    silent = replace(PLAIN, scale=np.array([0, 1, 1, 1, 1, 1], np.float32))
    assert (silent.apply(ROWS)[:, 0] == 0).all()
    assert np.array_equal(silent.apply(ROWS)[:, 1:], ROWS[:, 1:])


def test_columns_without_a_number_do_not_stop_training():
    rows = ROWS.copy()
    rows[:, 2] = np.nan
    assert np.isfinite(Preprocessing.fit(rows).apply(rows)).all()


def test_json_gives_back_the_same_bits():
    again = Preprocessing.from_json(FITTED.to_json())
    assert np.array_equal(again.apply(ROWS), FITTED.apply(ROWS))
    assert (again.limit, again.logarithm) == (FITTED.limit, FITTED.logarithm)
    with pytest.raises(ValueError, match="differ in length"):
        Preprocessing.from_json(FITTED.to_json() | {"fill": [1]})
