"""What mail is made of, and whose user list may be changed."""

import random

import pytest

from training.testbed.services.mail import ACCOUNTS, address, enroll, letter, letter_bytes


def test_a_letter_has_about_its_size_and_follows_the_seed():
    for size in (400, 5_000, 90_000):
        made = letter(random.Random(1), address("ada"), address("ben"), size)
        assert abs(len(made) - size) < 400 and made == letter(random.Random(1), address("ada"), address("ben"), size)
        assert max(map(len, made.splitlines())) < 120


def test_sizes_have_a_long_tail_and_a_limit():
    rng = random.Random(3)
    sizes = sorted(letter_bytes(rng, most=900_000) for _ in range(2_000))
    assert sizes[0] >= 300 and sizes[-1] <= 900_000 and sizes[1_990] > 50 * sizes[1_000] > 100_000 / 2


def test_the_machines_own_users_are_never_touched():
    with pytest.raises(RuntimeError, match="own world"):
        enroll(ACCOUNTS)
