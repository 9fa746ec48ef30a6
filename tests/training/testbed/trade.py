"""A small world for kinds of mail, data, voice and file shares, and acts that are played in it on paper."""

from pathlib import Path
from typing import Any

from tests.training.testbed.paper import Paper
from training.testbed.acts import Kind
from training.testbed.world import USERS, Host, World

WORLD = World(
    {
        "desk": Host("desk", "inside", 1),
        "laptop": Host("laptop", "inside", 2),
        "web": Host("web", "servers", 9),
        "infra": Host("infra", "servers", 10),
        "store": Host("store", "servers", 11),
        "internet": Host("internet", "outside", 20, extra=2),
        "attacker": Host("attacker", "outside", 30),
    },
    {name: f"secret-of-{name}" for name in (*USERS, "admin")},
)


def played(kind: Kind, seed: int, tmp_path: Path, host: str = "laptop", **settings: Any) -> Paper:
    """Play a kind on a stage where nothing runs."""
    folder = tmp_path / f"act-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    stage = Paper(WORLD, kind, folder, host, seed, settings)
    kind.play(stage)
    return stage


def plain(stage: Paper) -> list[str]:
    """Return the commands as text, without the name of the act's own folder."""
    return [" ".join(words).replace(str(stage.folder), "FOLDER") for words in stage.commands]
