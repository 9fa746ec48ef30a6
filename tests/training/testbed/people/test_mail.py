"""People at their mail."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.testbed.bench import Bench
from tests.training.testbed.trade import plain, played
from tests.training.testbed.web.stage import bench_stage
from training.testbed.people.mail import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_seed_decides_what_is_done(kind: Any, tmp_path: Path):
    once, again = (plain(played(kind, 7, tmp_path)) for _ in range(2))
    assert once == again and kind.label == "benign"
    assert len({played(kind, seed, tmp_path).rng.random() for seed in range(12)}) == 12


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_act_ends_before_its_limit(kind: Any, tmp_path: Path):
    assert max(played(kind, seed, tmp_path).paused_s for seed in range(60)) < kind.limit_s


def test_a_mistyped_password_comes_first_and_is_followed_by_the_right_one(tmp_path: Path):
    said = plain(played(BY_NAME["mail-fetch"], 3, tmp_path, mistyped=1.0))
    assert "not-my-password" in said[0] and "secret-of-" in said[1] and len(said) == 2


def test_messages_differ_in_size(tmp_path: Path):
    sizes = {(played(BY_NAME["mail-notify"], seed, tmp_path).folder / "mail").stat().st_size for seed in range(40)}
    assert len(sizes) > 20 and max(sizes) > 5 * min(sizes)


def test_an_idle_mailbox_is_left_properly(tmp_path: Path):
    (note,) = played(BY_NAME["mail-idle"], 5, tmp_path, typical_s=90.0).notes
    assert note.over and note.typed[0].startswith("a login") and note.typed[-1] == "e logout\n"
    assert note.typed.count("c idle\n") == note.typed.count("done\n") > 0


def posted(bench: Bench) -> dict[str, Any]:
    """Send, synchronise and read mail for real; tell what went wrong and what lies in the mailboxes."""
    bench.serve("names", "mail")
    wrong: dict[str, Any] = {}
    for name in ("mail-send", "mail-notify", "mail-sync", "mail-fetch"):
        with bench_stage(bench, BY_NAME[name], "office", 2) as stage:
            BY_NAME[name].play(stage)
            wrong[name] = stage.surprises
    folder = bench.world.folder("mail")
    sent = (folder / "log").read_text().count("status=sent")
    return wrong | {"logins": (folder / "imap.log").read_text().count("Login"), "sent": sent}


def test_mail_is_sent_and_read_for_real(in_world: Any):
    told = in_world(posted)
    assert told.pop("sent") >= 1 and told.pop("logins") >= 2
    assert all(not wrong for wrong in told.values()), told
