"""Who is let into the database."""

from pathlib import Path

from tests.training.testbed.trade import WORLD
from training.testbed.services.database import grants, programs
from training.testbed.world import USERS


def test_everybody_gets_in_with_the_own_password():
    text = grants(WORLD)
    assert all(f"create role {user} login password '{WORLD.passwords[user]}';" in text for user in USERS)
    assert text.count("grant all") == len(USERS)


def test_its_programs_lie_where_debian_puts_them():
    assert programs().parent.parent == Path("/usr/lib/postgresql") and programs().name == "bin"
