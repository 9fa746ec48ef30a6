"""A domain that nobody serves, for acts that are played where no program runs."""

import random
from pathlib import Path

from training.testbed.services.directory import people
from training.testbed.services.domain import Domain


def made(folder: Path) -> Domain:
    """Return a domain with made-up accounts and three files on its share."""
    files = ["letters/001.txt", "plans/002.pdf", "photos/003.jpg"]
    return Domain("dc.works.test", "10.77.12.10", folder, "Adm1n-1", people(random.Random(4)), files)
