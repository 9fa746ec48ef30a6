"""What the cache begins with."""

import random

from training.testbed.services.cache import KEYS, command, filling


def test_a_command_is_written_as_the_protocol_wants_it():
    assert command("SET", "a", "né") == "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nné\r\n".encode()


def test_the_filling_repeats_with_the_seed_and_varies_in_size():
    made = filling(random.Random(1))
    assert made == filling(random.Random(1)) != filling(random.Random(2))
    assert made.count(b"SET") >= KEYS and 200_000 < len(made) < 5_000_000
