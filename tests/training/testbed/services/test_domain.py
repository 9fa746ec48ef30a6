"""The domain controller: what clients are told, and that it lets them in for real."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from training.testbed.network import build
from training.testbed.services import domain
from training.testbed.services.directory import Account
from training.testbed.services.domain import ADMIN, known


@pytest.mark.parametrize(("way", "limit", "kdc"), [("tcp", 1, True), ("udp", 1465, True), ("dns", 1465, False)])
def test_a_clients_configuration_says_how_the_controller_is_found(way: str, limit: int, kdc: bool):
    text = domain.kerberos("dc.works.test", way)
    assert f"udp_preference_limit = {limit}" in text and "default_realm = WORKS.TEST" in text
    assert ("\nkdc = dc.works.test\n" in text) == kdc
    assert f"dns_lookup_kdc = {'false' if kdc else 'true'}" in text


def test_a_package_is_named_for_a_file_that_is_not_there(tmp_path: Path):
    everything = domain.missing(tmp_path)
    assert everything == sorted(everything) and len(everything) == 4
    (tmp_path / "share/samba/setup").mkdir(parents=True)
    (tmp_path / "share/samba/setup/provision.ldif").touch()
    assert domain.missing(tmp_path) == [one for one in everything if one != "samba-ad-provision"]


def test_clients_know_what_the_service_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.testbed.world.RUN", tmp_path)
    (tmp_path / "domain").mkdir()
    accounts = [Account("anna.berg", "Pw-1", "person"), Account("pc01$", "Pw-2", "machine")]
    told = {"password": "Pw-3", "accounts": [one.plain() for one in accounts], "files": ["plans/001.pdf"]}
    (tmp_path / "domain" / "known.json").write_text(json.dumps(told))
    found = known(build())
    assert (found.dc, found.v4, found.admin_password) == ("dc.works.test", "10.77.12.10", "Pw-3")
    assert found.of("machine") == [accounts[1]] and found.files == ["plans/001.pdf"]
    assert found.clients_config("tcp")["KRB5_CONFIG"].endswith("domain/krb5-tcp.conf")


def let_in(bench: Bench) -> Any:
    """Log on as a person; tell what tickets, directory, shares and names say, and the file server beside them."""
    bench.serve("names", "files", "domain")
    asked = known(bench.world)
    who = asked.of("person")[0]
    folder = asked.folder
    env = ["env", f"KRB5_CONFIG={folder}/krb5-tcp.conf", f"KRB5CCNAME=FILE:{folder}/test-tickets"]
    kinit = bench.run("desk", *env, "kinit", who.name, stdin=who.password + "\n")
    wrong = bench.run("desk", *env, "kinit", "-c", f"FILE:{folder}/none", who.name, stdin="wrong\n")
    words = ["-N", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{asked.dc}", "-b", "DC=works,DC=test"]
    found = bench.run("desk", *env, "ldapsearch", "-LLL", *words, f"(sAMAccountName={who.name})", "mail")
    shares = bench.run("desk", "smbclient", "-g", "-L", f"//{asked.dc}", "-U", f"{ADMIN}%{asked.admin_password}")
    team = bench.run(
        "desk", *env, "smbclient", f"//{asked.dc}/team", "-N", "--use-kerberos=required", "-c", "recurse;ls"
    )
    names = bench.run("desk", "dig", "+short", f"@{asked.v4}", "_ldap._tcp.dc._msdcs.works.test", "SRV")
    own = bench.world.passwords["ada"]
    beside = bench.run("desk", "smbclient", "//store.home.test/office", "-U", f"HOME\\ada%{own}", "-c", "ls")
    return [
        [kinit.returncode, wrong.returncode, beside.returncode],
        f"mail: {who.name}@works.test" in found.stdout,
        sorted(line.split("|")[1] for line in shares.stdout.splitlines() if line.startswith("Disk")),
        sum(file.rpartition("/")[2] in team.stdout for file in asked.files) == len(asked.files),
        "389 dc.works.test." in names.stdout,
    ]


def test_the_controller_knows_its_people_for_real(in_world: Any):
    told = in_world(let_in, limit_s=150)
    assert told == [[0, 1, 0], True, ["ADMIN$", "netlogon", "sysvol", "team"], True, True]
