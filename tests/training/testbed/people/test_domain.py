"""Members of a domain: what they run, that it repeats, and that it works for real."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.domains import made
from tests.training.testbed.people import acted
from training.testbed.people import domain
from training.testbed.people.domain import KINDS
from training.testbed.services.domain import ADMIN

BY_NAME = {kind.name: kind for kind in KINDS}
SEEDS = range(12)


@pytest.fixture(autouse=True)
def nobody_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(domain, "known", lambda world: made(tmp_path))


def words(name: str, folder: Path, seed: int) -> list[tuple[str, ...]]:
    return list(acted.on_paper(BY_NAME[name], folder, seed).commands)


def test_the_seed_decides_and_programs_are_named(tmp_path: Path):
    acted.hold(KINDS, tmp_path)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_limit_holds(name: str, tmp_path: Path):
    assert max(acted.on_paper(BY_NAME[name], tmp_path, seed).paused_s for seed in range(30)) < BY_NAME[name].limit_s


def test_whoever_logs_on_finds_the_controller_first_and_gets_a_ticket_before_anything_is_asked(tmp_path: Path):
    for seed in SEEDS:
        programs = [each[0] for each in words("domain-logon", tmp_path, seed)]
        assert programs[0] == "dig" and programs[-1] == "klist"
        assert programs.index("kinit") < programs.index("ldapsearch") < programs.index("smbclient")


def test_a_machine_reads_policies_with_a_ticket_of_its_own(tmp_path: Path):
    for seed in SEEDS:
        said = words("domain-policy", tmp_path, seed)
        assert [each for each in said if each[0] == "kinit" and each[-1].endswith("$")]
        assert [each for each in said if each[0] == "smbclient" and "gpt.ini" in each[-1]]


def test_a_password_is_changed_back(tmp_path: Path):
    for seed in SEEDS:
        said = words("domain-password", tmp_path, seed)
        assert len(said) == 2 and all(each[-1].startswith("temp") for each in said)


def test_only_those_who_look_after_the_domain_are_administrators(tmp_path: Path):
    asking = {
        name
        for name in BY_NAME
        for seed in SEEDS
        if any(ADMIN in word for each in words(name, tmp_path, seed) for word in each)
    }
    assert asking == {"domain-admin", "domain-join"}


def played(bench: Bench, names: list[str]) -> list[str]:
    """Play kinds for real, twice each, and tell what ended otherwise than meant."""
    return acted.surprises(bench, "domain", names, ("names", "domain"), 2)


def test_a_day_in_the_domain_works_for_real(in_world: Any):
    names = ["domain-logon", "domain-policy", "domain-search", "domain-tickets", "domain-password"]
    assert in_world(played, names, limit_s=200) == []
