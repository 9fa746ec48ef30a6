"""The seed's network has its shape, learns what follows what, and gives the same with the same seed."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="the language model needs the extra `training`")

from tests.training.seeds.sequences import made
from training.seeds.sequences import counting, network, windows
from training.seeds.sequences.tokens import Vocabulary, service

SMALL = network.Recipe(embedding=8, cells=6, dense=8, epochs=6, batch=64, rows=800)


def lesson():
    events = made.office(6)
    words = service(events)
    vocabulary = Vocabulary.of(words)
    return windows.text(events, vocabulary.numbers(words)), len(vocabulary)


def test_the_recipe_is_the_seeds():
    built = network.Recipe().network(40)
    kinds = [type(layer).__name__ for layer in built.layers[1:]]
    assert kinds == ["Embedding", "Bidirectional", "Dropout", "Bidirectional", "Dense", "Dense"]
    assert built.output_shape == (None, 40)
    # Embedding; two directions of four gates over inputs, cells and bias, twice; dense; softmax.
    first, second = 8 * 50 * (100 + 50 + 1), 8 * 50 * (100 + 50 + 1)
    assert built.count_params() == 40 * 100 + first + second + (100 + 1) * 50 + (50 + 1) * 40


def test_it_learns_what_follows_what_and_a_seed_repeats_whatever_came_before():
    text, words = lesson()
    school = network.School(SMALL, text, words)
    one, other, again = (school.teach(seed) for seed in (3, 4, 3))
    assert one.losses == again.losses != other.losses
    assert one.losses[-1] < one.losses[0]
    found = one.probability(text)
    assert found.shape == (len(text),)
    assert not (found == other.probability(text)).all()
    assert (found == again.probability(text)).all()
    # Pages and names follow each other: better than knowing how common each is.
    plain = counting.surprise(counting.Frequency(text, words), text).mean()
    assert counting.surprise(one, text).mean() < plain
    # Rows with the same words are asked for once, and answered in their places.
    assert (one.probability(text.rows(np.arange(len(text))[::-1])) == found[::-1]).all()
