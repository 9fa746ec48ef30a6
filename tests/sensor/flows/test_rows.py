"""Rows moved as bytes are the rows that numpy itself would move."""

import numpy as np

from sensor.flows import FLOW_DTYPE, join, pick


def table(rows: int) -> np.ndarray:
    """Return a table of arbitrary bytes."""
    return np.random.default_rng(7).integers(0, 256, rows * FLOW_DTYPE.itemsize, np.uint8).view(FLOW_DTYPE)


def test_picked_rows_are_copies_of_those_asked_for():
    flows = table(9)
    chosen = pick(flows, [7, 0, 7])
    assert chosen.tobytes() == flows[[7, 0, 7]].tobytes()
    chosen["src_port"] = 0
    assert flows["src_port"].all()
    assert len(pick(flows, [])) == 0


def test_records_joined_are_a_table_that_can_be_written():
    flows = table(5)
    joined = join(flows[row] for row in (3, 1))
    assert joined.tobytes() == flows[[3, 1]].tobytes()
    joined["end_ns"] = 1
    assert joined["end_ns"].tolist() == [1, 1]
    assert len(join([])) == 0
