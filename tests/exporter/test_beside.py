"""Two networks in one, whose outputs are theirs."""

import numpy as np
import pytest

from exporter.beside import beside
from sensor.errors import NettrusionError
from tests.exporter.networks import SEEN, autoencoder, dense


def test_both_say_what_they_said_alone():
    mirror, _ = autoencoder()
    classes, rebuilt = beside(dense(), mirror)(SEEN)
    assert np.array_equal(classes, dense()(SEEN))
    assert np.array_equal(rebuilt, mirror(SEEN))


def test_rows_of_another_width_are_refused():
    import keras

    start = keras.Input((5,))
    with pytest.raises(NettrusionError, match="6 features and an autoencoder of 5"):
        beside(dense(), keras.Model(start, keras.layers.Dense(5)(start)))
