"""Rows that stand for all: bit by bit the same, whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sensor.detector import alike
from sensor.detector.alike import representatives


def covers(rows: np.ndarray) -> int:
    """Return how many rows stand for all, having made sure that they do."""
    found = representatives(rows)
    if found is None:
        return len(rows)
    first, place = found
    assert rows[first][place].tobytes() == rows.tobytes()
    return len(first)


@given(
    arrays(np.float32, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(width=32)),
    st.lists(st.integers(0, 5), max_size=40),
)
def test_they_stand_for_all(rows, chosen):
    covers(rows[[one for one in chosen if one < len(rows)]])


def test_each_different_row_is_there_once():
    rows = np.random.default_rng(1).integers(0, 4, (5000, 4)).astype(np.float32)
    assert covers(rows) == len(np.unique(rows, axis=0)) == 256


def test_small_whole_numbers_are_told_apart():
    # As float32 they have twenty zero bits at the end.
    rows = np.random.default_rng(1).integers(0, 1000, (2000, 85)).astype(np.float32)
    assert covers(np.concatenate([rows, rows])) == 2000


def test_signs_of_zero_and_bits_of_nan_are_kept():
    nans = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32)
    rows = np.repeat(np.array([[0.0, 1], [-0.0, 1], [nans[0], 1], [nans[1], 1]], np.float32), 10, axis=0)
    assert covers(rows) == 4


@pytest.mark.parametrize("rows", [np.zeros((0, 3)), np.zeros((3, 0)), np.arange(300).reshape(100, 3), np.zeros((1, 3))])
def test_where_nothing_is_gained_nothing_is_gathered(rows):
    assert representatives(rows.astype(np.float32)) is None


def test_a_few_equal_rows_are_not_worth_it():
    rows = np.arange(300, dtype=np.float32).reshape(100, 3)
    rows[:4] = rows[0]
    assert representatives(rows) is None
    rows[:9] = rows[0]
    assert covers(rows) == 92


def test_rows_that_share_a_sum_stand_for_themselves(monkeypatch):
    monkeypatch.setattr(alike, "_weights", lambda k: np.zeros(k, np.uint64))
    rows = np.repeat(np.arange(10, dtype=np.float32), 3).reshape(30, 1)
    assert covers(rows) == 1 + 27


def test_a_slice_of_a_wider_table_is_read_by_its_rows():
    wide = np.random.default_rng(1).random((50, 8)).astype(np.float32)
    rows = np.concatenate([wide, wide])[:, 2:5]
    assert covers(rows) == 50
