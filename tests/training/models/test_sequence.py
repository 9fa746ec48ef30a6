"""A convolution means the same wherever it stands, and is refused where there are no packets."""

import numpy as np
import pytest

from sensor.errors import NettrusionError
from tests.training import made
from tests.training.models import wire
from training.models.candidate import Lesson
from training.models.parts import Parts
from training.models.sequence import Sequence, cut


def test_statistics_alone_are_refused_with_a_way_out():
    table = made.table(2, 4)
    with pytest.raises(NettrusionError, match="use the feature set flow1"):
        Sequence().fit(Lesson(table, table), 1)


def test_a_cut_is_the_columns():
    rows = np.arange(12, dtype=np.float32).reshape(2, 6)
    import keras

    given = keras.Input((6,))
    assert np.array_equal(np.asarray(keras.Model(given, cut(given, 2, 5))(rows)), rows[:, 2:5])


def test_packets_elsewhere_in_the_flow_excite_the_same_filters():
    import keras

    keras.utils.set_random_seed(1)
    parts = Parts.of(wire.NAMES)
    given = keras.Input((len(wire.NAMES),))
    packets = Sequence(filters=4)._packets(given, parts)
    rows = np.zeros((2, len(wire.NAMES)), np.float32)
    rows[0, parts.sequence[2:6]] = np.random.default_rng(0).normal(size=(4, wire.CHANNELS))
    rows[1, parts.sequence[6:10]] = rows[0, parts.sequence[2:6]]
    early, late = np.asarray(keras.Model(given, packets)(rows)).reshape(2, 6, 4)
    assert early[:4] == pytest.approx(late[2:])
    assert np.abs(early).max() > 0
