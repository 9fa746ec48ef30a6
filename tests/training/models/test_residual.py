"""A block adds to what comes before it."""

import numpy as np

from training.models.parts import Parts
from training.models.residual import Residual


def test_each_branch_has_its_blocks():
    network = Residual(branches=2, width=8, blocks=3)._network(Parts.of(["a"] * 6), np.ones((2, 6), bool), 4)
    assert sum(type(layer).__name__ == "Add" for layer in network.layers) == 6
    assert network.output_shape == (None, 2, 4)
