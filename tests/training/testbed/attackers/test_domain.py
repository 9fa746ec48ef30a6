"""Moving through a domain: what is run, that it repeats, and how far it gets for real."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.attackers.acting import rehearsed
from tests.training.testbed.bench import Bench
from tests.training.testbed.domains import made
from tests.training.testbed.paper import Paper
from tests.training.testbed.web.stage import bench_stage
from training.testbed.acts import Done
from training.testbed.attackers import domain
from training.testbed.attackers.domain import ENUMERATIONS, EXECUTERS, HASH, KINDS, OWN
from training.testbed.services.directory import SEASONS

BY_NAME = {kind.name: kind for kind in KINDS}
DUMPED = b"[*] Using the DRSUAPI method\nAdministrator:500:%s:%s:::\nAdministrator:aes256:12\n" % (b"a" * 32, b"b" * 32)


@pytest.fixture(autouse=True)
def nobody_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(domain, "known", lambda world: made(tmp_path))


def said(stage: Paper) -> list[str]:
    return [" ".join(words).replace(str(stage.folder), "FOLDER") for words in stage.commands]


def shown(stage: Paper) -> str:
    """Return the commands and what was written for them to read."""
    files = [path.read_bytes() for path in sorted(stage.folder.iterdir())]
    return f"{said(stage)} {files}".replace(str(stage.folder), "FOLDER")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_and_the_limit_holds(kind: Any, tmp_path: Path):
    acts = [shown(rehearsed(kind, tmp_path, seed, "laptop")) for seed in range(8)]
    assert acts == [shown(rehearsed(kind, tmp_path, seed, "laptop")) for seed in range(8)]
    assert kind.name == "backup-key" or len(set(acts)) > 2
    assert max(rehearsed(kind, tmp_path, seed, "laptop").paused_s for seed in range(30)) < kind.limit_s
    assert kind.label == ("bruteforce" if kind.name == "kerberos-spray" else "lateral")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_program_is_named_with_its_package(kind: Any, tmp_path: Path):
    for seed in range(12):
        assert {words[0] for words in rehearsed(kind, tmp_path, seed, "laptop").commands} <= {*kind.needs, "sh"}


@pytest.mark.parametrize("tool", ENUMERATIONS)
def test_each_tool_asks_the_controller(tool: str, tmp_path: Path):
    stage = rehearsed(BY_NAME["domain-enum"], tmp_path, 5, "laptop", tool=tool)
    assert stage.commands
    assert all("10.77.12.10" in text or "dc.works.test" in text for text in said(stage))


@pytest.mark.parametrize("tool", EXECUTERS)
def test_a_program_is_to_be_started_on_the_controller(tool: str, tmp_path: Path):
    stage = rehearsed(BY_NAME["remote-execution"], tmp_path, 2, "laptop", tool=tool)
    assert f"/{tool}.py" in said(stage)[0] and "@10.77.12.10" in said(stage)[0]


def test_a_setting_may_be_a_list(tmp_path: Path):
    stages = [rehearsed(BY_NAME["domain-replication"], tmp_path, seed, what=["krbtgt", "all"]) for seed in range(12)]
    counts = {len(stage.commands) for stage in stages}
    assert counts == {1, 2}


def test_hashes_are_read_from_what_was_dumped_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert dict(HASH.findall(DUMPED)) == {b"Administrator": b"b" * 32}
    run = Paper.run

    def dumping(self: Paper, *words: str, **more: Any) -> Done:
        run(self, *words, **more)
        return Done(0, DUMPED if OWN in words else b"")

    monkeypatch.setattr(Paper, "run", dumping)
    stage = rehearsed(BY_NAME["domain-replication"], tmp_path, 1, what="krbtgt", follow=1.0)
    later = [text for text in said(stage) if OWN not in text]
    assert later and all("b" * 32 in text for text in later)


def test_a_spray_tries_one_password_on_everybody(tmp_path: Path):
    stage = rehearsed(BY_NAME["kerberos-spray"], tmp_path, 3, "laptop", tool="kinit", accounts=10, passwords=2)
    text = (stage.folder / "spray.sh").read_text()
    assert text.index("for p in") < text.index("for u in")
    assert sum(text.count(season) for season in SEASONS) == 2
    assert len((stage.folder / "users").read_text().split()) >= 3


def gone_through(bench: Bench) -> Any:
    """Replicate a key, log on with it, and roast, for real; tell what came of it."""
    bench.serve("names", "domain")
    told: list[Any] = []
    for name, settings in (
        ("domain-replication", {"what": "krbtgt", "follow": 1.0}),
        ("roasting", {"way": "both"}),
        ("machine-adding", {}),
    ):
        kind = BY_NAME[name]
        with bench_stage(bench, kind, "laptop", 2) as stage:
            stage.settings = {**kind.settings, **settings, "pace_s": 0.01}
            outputs: list[bytes] = []
            run = stage.run

            def noted(*words: str, **more: Any) -> Done:
                done = run(*words, **more)  # noqa: B023
                outputs.append(done.output)  # noqa: B023
                return done

            stage.run = noted  # type: ignore[method-assign]
            kind.play(stage)
        told.append(b"\n".join(outputs).decode(errors="replace"))
    return [
        "krbtgt:502:" in told[0],
        "doesn't have UF_DONT_REQUIRE_PREAUTH" in told[1],
        "kvno = " in told[1],
        "Successfully added" in told[2] or "right to create a machine account" in told[2],
    ]


def test_keys_and_tickets_are_got_for_real_and_replies_are_not(in_world: Any):
    assert in_world(gone_through, limit_s=200) == [True, True, True, True]
