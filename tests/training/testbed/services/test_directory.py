"""The domain's accounts and how the directory is told of them."""

import base64
import random
from collections import Counter

from training.testbed.services.directory import (
    ACCOUNT_KINDS,
    GROUPS,
    NO_PREAUTHENTICATION,
    Account,
    ldif,
    people,
    weak,
)

BASE = "DC=works,DC=test"


def blocks(accounts: list[Account]) -> list[list[str]]:
    """Return the LDIF's entries: the policy, the controller, the accounts (with enough others for groups)."""
    accounts = [*accounts, *(Account(f"z{place}.z", "Pw-z", "person") for place in range(3))]
    return [block.splitlines() for block in ldif(accounts, BASE, random.Random(1)).split("\n\n")]


def test_the_accounts_repeat_with_the_seed_and_are_of_all_kinds():
    made = people(random.Random(1))
    assert made == people(random.Random(1)) != people(random.Random(2))
    counts = Counter(account.kind for account in made)
    assert set(counts) == set(ACCOUNT_KINDS) and counts["person"] > 20
    assert len({account.name for account in made}) == len(made)
    assert all(account.name.endswith("$") == (account.kind == "machine") for account in made)
    assert all(bool(account.principal) == (account.kind == "service") for account in made)


def test_a_weak_password_is_a_word_and_a_year():
    words = {weak(random.Random(seed)) for seed in range(300)}
    assert "Summer2024!" in words and len(words) < 60


def test_a_password_is_told_quoted_and_in_utf_16():
    block = blocks([Account("anna.berg", "Pw-1", "person")])[2]
    assert block[0] == f"dn: CN=anna.berg,CN=Users,{BASE}"
    secret = next(line for line in block if line.startswith("unicodePwd:: ")).partition(":: ")[2]
    assert base64.b64decode(secret) == b'"\x00P\x00w\x00-\x001\x00"\x00'


def test_only_an_open_account_needs_no_pre_authentication():
    flags: dict[str, int] = {}
    for block in blocks(
        [Account("a.a", "Pw-1", "open"), Account("b.b", "Pw-1", "person"), Account("c$", "Pw-1", "machine")]
    ):
        name = block[0].partition("CN=")[2].partition(",")[0]
        values = [int(line.split()[1]) for line in block if line.startswith("userAccountControl")]
        flags |= dict.fromkeys([name] if values else [], sum(values))
    assert flags["a.a"] & NO_PREAUTHENTICATION
    assert not flags["b.b"] & NO_PREAUTHENTICATION and flags["c"] == 0x1000


def test_groups_have_members_and_machines_are_in_none():
    made = people(random.Random(3))
    told = blocks(made)
    groups = [block for block in told if "objectClass: group" in block]
    assert len(groups) == len(GROUPS)
    members = [line for block in groups for line in block if line.startswith("member: ")]
    assert len(members) >= 3 * len(GROUPS) and not [line for line in members if "CN=Computers" in line]
