"""What lies on the share."""

import random

from training.testbed.services.files import FOLDERS, MOST_BYTES, catalogue


def test_the_catalogue_repeats_with_the_seed_and_has_all_folders():
    made = catalogue(random.Random(1))
    assert made == catalogue(random.Random(1)) != catalogue(random.Random(2))
    assert {name.split("/")[0] for name in made} == set(FOLDERS) and len(made) == 60
    assert max(made.values()) <= MOST_BYTES and max(made.values()) > 50 * min(made.values())
