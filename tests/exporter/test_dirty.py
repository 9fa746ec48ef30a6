"""Dirty rows hold every odd value, real rows, and are the same every time."""

import numpy as np

from exporter.dirty import dirty_rows
from tests.sensor.detector.made import sample

ROWS, _ = sample(100)


def test_they_are_as_many_as_asked_and_begin_with_real_ones():
    rows = dirty_rows(ROWS, 1_000)
    assert rows.shape == (1_000, ROWS.shape[1])
    assert rows.dtype == np.float32
    assert np.array_equal(rows[:100], ROWS)
    assert len(dirty_rows(ROWS[:1], 10)) == 10


def test_they_hold_every_kind_of_odd_value_alone_and_mixed():
    rows = dirty_rows(ROWS, 1_000)
    odd = rows[100:]
    assert np.isnan(odd).all(axis=1).any()
    assert np.isnan(odd).sum(axis=1).min() == 0
    for value in (np.inf, -np.inf, np.float32(3e38), np.float32(-3e38), 0):
        assert (odd == value).any(axis=0).all()
    assert (odd < 0).any(axis=0).all()


def test_they_repeat_and_leave_the_real_ones_alone():
    before = ROWS.copy()
    assert dirty_rows(ROWS, 500).tobytes() == dirty_rows(ROWS, 500).tobytes()
    assert np.array_equal(ROWS, before)
