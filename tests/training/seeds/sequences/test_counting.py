"""Counts are probabilities: they add up to one, and step back where nothing was counted."""

import numpy as np
import pytest

from training.seeds.sequences import counting
from training.seeds.sequences.windows import Text

WORDS = 6


def text(words, pairs, before=None):
    size = len(words)
    return Text(
        np.array(before if before is not None else np.zeros((size, 3)), dtype=np.int32),
        np.array(words, dtype=np.int32),
        np.array(pairs, dtype=np.int64),
    )


LESSON = text([2, 2, 3, 4], [1, 1, 1, 9], [[0, 0, 0], [0, 0, 2], [0, 2, 2], [0, 0, 0]])


@pytest.mark.parametrize("make", [counting.Frequency, counting.by_pair, counting.trigram])
@pytest.mark.parametrize("before", [[0, 2, 2], [0, 5, 5], [0, 0, 0]])
@pytest.mark.parametrize("pair", [1, 9, 77])
def test_probabilities_of_all_words_add_up_to_one(make, before, pair):
    model = make(LESSON, WORDS)
    every = text(range(WORDS), [pair] * WORDS, [before] * WORDS)
    assert model.probability(every).sum() == pytest.approx(1)
    assert (model.probability(every) > 0).all()


def test_the_table_knows_who_says_what_and_steps_back_for_strangers():
    table, frequency = counting.by_pair(LESSON, WORDS), counting.Frequency(LESSON, WORDS)
    known, stranger = text([2], [1]), text([2], [77])
    assert frequency.probability(known)[0] == pytest.approx(3 / 10)
    assert table.probability(known)[0] == pytest.approx((2 + 0.3) / 4)
    assert table.probability(stranger)[0] == frequency.probability(stranger)[0]
    assert counting.surprise(table, known)[0] < counting.surprise(table, text([4], [1]))[0]


def test_the_trigram_knows_what_follows_what():
    model = counting.trigram(LESSON, WORDS)
    after = [[0, 2, 2]] * 2
    likely, unlikely = counting.surprise(model, text([3, 4], [5, 5], after))
    assert likely < unlikely


def test_the_pair_alone_does_not_look_at_words():
    model = counting.Pairs(LESSON)
    assert model.probability(text([2, 5], [1, 1])).tolist() == [4 / 5, 4 / 5]
    assert model.probability(text([2], [77])).tolist() == [1 / 5]
