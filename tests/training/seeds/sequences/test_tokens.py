"""A flow's word is its service, or its shape without any port."""

from dataclasses import replace

import numpy as np

from tests.training.seeds.sequences.made import events
from training.seeds.sequences import tokens
from training.seeds.sequences.tokens import FIRST, REST, UNSEEN, Vocabulary


def test_the_service_is_the_lower_port_and_high_ones_are_one_word():
    found = tokens.service(events((0, 0, 1, 2, 80), (0, 0, 1, 2, 9_999), (0, 0, 1, 2, 10_000), (0, 0, 1, 2, 50_000)))
    assert found.tolist() == [80, 9_999, REST, REST]


def test_ports_change_nothing_but_the_service():
    one, other = events((0, 0, 1, 2, 80)), events((0, 0, 1, 2, 22))
    assert tokens.shape(one) == tokens.shape(other)
    assert tokens.protocol(one) == tokens.protocol(other)
    assert tokens.service(one) != tokens.service(other)


def test_a_shape_tells_protocol_direction_and_size():
    plain = events((0, 0, 1, 2, 80))
    changes = [{}, {"received": 0}, {"received": 101}, {"sent": 1000}, {"protocol": 17}, {"protocol": 99}]
    shapes = {
        int(tokens.shape(replace(plain, **{name: np.array([value]) for name, value in change.items()}))[0])
        for change in changes
    }
    assert len(shapes) == len(changes)
    size = len(tokens.SIZES) + 1
    assert max(shapes) < (len(tokens.PROTOCOLS) + 1) * 3 * size


def test_words_that_occur_once_are_not_known():
    vocabulary = Vocabulary.of(np.array([80, 80, 53, 53, 53, 22]))
    assert len(vocabulary) == 2 + FIRST
    assert vocabulary.numbers(np.array([53, 80, 22, 7, 443])).tolist() == [FIRST, FIRST + 1, UNSEEN, UNSEEN, UNSEEN]
