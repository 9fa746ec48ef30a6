"""Each word has those before it in its own pair and hour, and no other."""

import numpy as np

from tests.training.seeds.sequences import made
from training.seeds.sequences import windows
from training.seeds.sequences.tokens import PAD


def before(events, words, length=3):
    found = windows.text(events, np.array(words, dtype=np.int32), length)
    assert found.word.tolist() == words
    return found.before.tolist()


def test_words_before_are_those_of_the_group_in_order():
    events = made.events((0, 0, 1, 2, 80), (0, 1, 1, 2, 80), (0, 2, 1, 2, 80), (0, 3, 1, 2, 80), (0, 4, 1, 2, 80))
    found = before(events, [5, 6, 7, 8, 9])
    assert found == [[0, 0, 0], [0, 0, 5], [0, 5, 6], [5, 6, 7], [6, 7, 8]]


def test_another_pair_direction_or_hour_begins_anew():
    events = made.events((0, 0, 1, 2, 80), (0, 1, 2, 1, 80), (0, 2, 1, 3, 80), (1, 0, 1, 2, 80), (1, 1, 1, 2, 80))
    assert before(events, [5, 6, 7, 8, 9]) == [[PAD] * 3] * 4 + [[0, 0, 8]]


def test_groups_may_be_interleaved_and_windows_longer_than_all():
    events = made.events((0, 0, 1, 2, 80), (0, 1, 3, 4, 80), (0, 2, 1, 2, 80), (0, 3, 3, 4, 80))
    assert before(events, [5, 6, 7, 8], 9) == [[0] * 9, [0] * 9, [0] * 8 + [5], [0] * 8 + [6]]
    assert before(made.events((0, 0, 1, 2, 80)), [5]) == [[0, 0, 0]]


def test_each_different_row_is_kept_once():
    events = made.office(2)
    text = windows.text(events, np.minimum(events.low_port, 2).astype(np.int32))
    once, number = text.distinct()
    assert len(once) < len(text)
    assert (once.before[number] == text.before).all()
    assert (once.word[number] == text.word).all()
