"""The parts of a feature set are found by its names, and rows say which they have."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.models import wire
from training.models.parts import Parts


def test_the_parts_of_flow1_are_whole_and_lie_side_by_side():
    parts = Parts.of(wire.NAMES)
    assert parts.sequence.shape == (wire.PACKETS, wire.CHANNELS)
    assert wire.NAMES[parts.sequence[11, 0]] == "pkt12_size"
    for columns in (parts.stat, parts.context):
        assert np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))
    every = [*parts.stat, *parts.sequence.ravel(), *parts.context]
    assert sorted(every) == list(range(len(wire.NAMES)))


def test_a_set_of_statistics_is_one_part():
    parts = Parts.of(made.table(2, 4).feature_names)
    assert len(parts.stat) == made.table(2, 4).features.shape[1]
    assert not parts.sequence.size and not parts.context.size
    assert not parts.has_sequence(made.table(2, 4).features).any()


def test_rows_say_what_they_have():
    rows = np.ones((3, len(wire.NAMES)), np.float32)
    parts = Parts.of(wire.NAMES)
    rows[1, parts.sequence.ravel()] = 0
    rows[2, parts.context] = 0
    assert parts.has_sequence(rows).tolist() == [True, False, True]
    assert parts.has_context(rows).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "names",
    [
        ("pkt01_size", "pkt02_size", "pkt01_gap_us", "pkt02_gap_us"),
        ("pkt01_size", "duration", "pkt02_size"),
        ("pkt01_gap_us", "pkt01_size"),
        ("pkt01_size", "pkt01_gap_us", "pkt02_size", "pkt02_fin"),
        ("pkt01_size", "pkt03_size"),
    ],
)
def test_packets_that_lie_mixed_are_refused(names):
    with pytest.raises(NettrusionError, match="packet by packet"):
        Parts.of(names)
