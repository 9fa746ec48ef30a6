"""The program that intruders run: its ways, and how the controller answers each."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from training.testbed.attackers import remote
from training.testbed.attackers.remote import SCHEMA_INFO, WAYS
from training.testbed.services.domain import ADMIN, known


def test_each_way_is_described():
    assert remote.__doc__ and all(f"remote.py {way} " in remote.__doc__ for way in WAYS)


def test_a_step_that_is_refused_is_told_and_not_raised(capsys: pytest.CaptureFixture[str]):
    def refused() -> None:
        raise OSError("no\nway")

    assert remote._tell("open", refused) is None
    assert remote._tell("close", lambda: 7) == 7
    assert capsys.readouterr().out == "open: no way\nclose: done\n"


def test_the_last_entry_of_a_prefix_table_is_as_samba_wants_it():
    assert len(SCHEMA_INFO) == 21 and SCHEMA_INFO[0] == 0xFF


def test_a_spray_goes_through_all_accounts_before_the_next_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(remote, "_ticket", lambda *words: asked.append(words))
    (tmp_path / "users").write_text("a\nb\n")
    remote.spray(["10.0.0.1", "works.test", str(tmp_path / "users"), "0", "one", "two"])
    assert [each[2:] for each in asked] == [("a", "one"), ("b", "one"), ("a", "two"), ("b", "two")]


def answers(bench: Bench) -> Any:
    """Go each way for real against the controller and return what was printed."""
    bench.serve("names", "domain")
    asked = known(bench.world)
    login = f"{ADMIN}:{asked.admin_password}"
    listed = asked.folder / "listed"
    listed.write_text(f"{asked.of('open')[0].name}\nnobody.here\n{ADMIN}\n")
    ways = (
        ("names", asked.v4, "works.test", str(listed), "0"),
        ("spray", asked.v4, "works.test", str(listed), "0", asked.admin_password),
        ("zerologon", asked.v4, "DC", "3"),
        ("coerce", asked.v4, login, "works.test", "10.77.2.10"),
        ("backupkey", asked.v4, login, "works.test"),
    )
    return [bench.run("laptop", "python3", remote.__file__, *way).stdout for way in ways]


def test_the_controller_answers_each_way_for_real(in_world: Any):
    names, spray, zero, coerce, key = in_world(answers, limit_s=150)
    assert names.count("done") == 2 and "nobody.here: Kerberos SessionError: KDC_ERR_C_PRINCIPAL_UNKNOWN" in names
    assert f"{ADMIN}: done" in spray and spray.count("done") == 1
    assert zero.count("ACCESS_DENIED") == 3
    assert "spoolss: done" in coerce and "notify: " in coerce
    assert "policy: done" in key and "protected_storage: done" in key and key.count("key: ") == 2
