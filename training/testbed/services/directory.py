"""The accounts of the recorded domain: made up from a seed, and told to the directory as LDIF."""

import base64
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

AccountKind = Literal["person", "machine", "service", "open", "weak", "changing"]
ACCOUNT_KINDS: tuple[str, ...] = get_args(AccountKind)
FIRST = ("anna", "bruno", "carla", "dario", "emil", "fiona", "gero", "hanna", "ida", "jonas", "klara", "leon")
LAST = ("adler", "berg", "conrad", "dietz", "ebert", "funk", "graf", "horn", "jung", "keller", "lang", "marx")
SEASONS = ("Summer", "Winter", "Spring", "Autumn", "Welcome", "Monday")
CALLED = ("sql", "http", "backup", "print")
GROUPS = ("sales", "workshop", "accounts", "research", "helpdesk")
CONTROLLER = ("ldap/dc.works.test", "ldap/dc", "ldap/dc.works.test/works.test", "GC/dc.works.test/works.test")
"""Names of the controller's services beside those that it is born with."""
NORMAL, WORKSTATION, NO_PREAUTHENTICATION = 0x200, 0x1000, 0x400000
"""Bits of `userAccountControl` ([MS-ADTS] section 2.2.16); without pre-authentication anybody gets a reply."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account: its name at logon, its password, its kind, and a service's principal name."""

    name: str
    password: str
    kind: str
    principal: str = ""

    def plain(self) -> dict[str, str]:
        """Return the fields by name, for JSON."""
        return asdict(self)


def people(rng: random.Random, count: int = 36) -> list[Account]:
    """Return the domain's accounts: people, a few of them weak or open, machines and services.

    `weak` have a password that is guessed, `open` need no pre-authentication, `changing` change their password.
    """
    names = rng.sample([f"{first}.{last}" for first in FIRST for last in LAST], count)
    made = []
    for place, name in enumerate(names):
        kind = "weak" if place % 9 == 4 else "open" if place % 12 == 7 else "person"
        made.append(Account(name, weak(rng) if kind == "weak" else _strong(rng), kind))
    made += [Account(f"temp{place}", _strong(rng), "changing") for place in range(4)]
    made += [Account(f"pc{place:02d}$", _strong(rng), "machine") for place in range(1, 9)]
    for name in CALLED:
        made.append(Account(f"svc-{name}", _strong(rng), "service", f"{name.upper()}/{name}.works.test"))
    return made


def weak(rng: random.Random) -> str:
    """Return a password that those who guess try first: a season and a year."""
    return f"{rng.choice(SEASONS)}{rng.randint(2019, 2026)}!"


def _strong(rng: random.Random) -> str:
    return f"Pw-{rng.getrandbits(56):x}"


def ldif(accounts: Sequence[Account], base: str, rng: random.Random) -> str:
    """Return what makes the accounts and some groups of them below `base` (`DC=works,DC=test`), for `ldbmodify`.

    Passwords may be changed at once, and as often as one likes.
    """
    blocks = [[f"dn: {base}", "changetype: modify", "replace: minPwdAge", "minPwdAge: 0", "-"]]
    blocks[0] += ["replace: pwdHistoryLength", "pwdHistoryLength: 0"]
    blocks.append([f"dn: CN=DC,OU=Domain Controllers,{base}", "changetype: modify", "add: servicePrincipalName"])
    blocks[-1] += [f"servicePrincipalName: {name}" for name in CONTROLLER]
    for account in accounts:
        blocks.append(_account(account, base))
    persons = [account for account in accounts if account.kind in ("person", "weak", "open")]
    for group in GROUPS:
        lines = [f"dn: CN={group},CN=Users,{base}", "changetype: add", "objectClass: group"]
        lines += [f"sAMAccountName: {group}"]
        chosen = rng.sample(persons, rng.randint(3, min(14, len(persons))))
        blocks.append([*lines, *(f"member: {_dn(account, base)}" for account in chosen)])
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _account(account: Account, base: str) -> list[str]:
    machine = account.kind == "machine"
    lines = [f"dn: {_dn(account, base)}", "changetype: add", f"objectClass: {'computer' if machine else 'user'}"]
    flags = WORKSTATION if machine else NORMAL | (NO_PREAUTHENTICATION if account.kind == "open" else 0)
    secret = base64.b64encode(f'"{account.password}"'.encode("utf-16-le")).decode("ascii")
    lines += [f"sAMAccountName: {account.name}", f"userAccountControl: {flags}", f"unicodePwd:: {secret}"]
    if not machine:
        lines += [f"userPrincipalName: {account.name}@works.test", f"mail: {account.name}@works.test"]
        lines += [f"displayName: {account.name.replace('.', ' ').title()}", "description: made up"]
    else:
        host = account.name.rstrip("$")
        lines += [f"dNSHostName: {host}.works.test", f"servicePrincipalName: HOST/{host}.works.test"]
    return lines + ([f"servicePrincipalName: {account.principal}"] if account.principal else [])


def _dn(account: Account, base: str) -> str:
    return f"CN={account.name.rstrip('$')},CN={'Computers' if account.kind == 'machine' else 'Users'},{base}"
