"""A stage on which nothing runs, for kinds of mail, data, voice and file shares: it notes what would."""

import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from training.testbed.acts import Done, Kind
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


class Note:
    """What was typed into a program that would run beside the play."""

    def __init__(self) -> None:
        self.typed: list[str] = []
        self.over = False

    def say(self, text: str) -> None:
        self.typed.append(text)

    def wait(self, limit_s: float = 30.0) -> Done:
        self.over = True
        return Done(0, b"")

    def stop(self) -> Done:
        return self.wait()


class Quiet:
    """Notes commands with host and environment, what was typed, and how long the play paused."""

    def __init__(self, kind: Kind, seed: int, folder: Path, host: str = "laptop", **settings: Any) -> None:
        assert set(settings) <= set(kind.settings), "a setting that the kind has not"
        self.world = WORLD
        self.host: Host = WORLD.host(host)
        self.rng = random.Random(seed)
        self.folder = folder
        self.settings: Mapping[str, Any] = {**kind.settings, **settings}
        self.commands: list[list[str]] = []
        self.places: list[str] = []
        self.notes: list[Note] = []
        self.paused_s = 0.0

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limit_s: float = 30.0,
        ok: Collection[int] | None = (0,),
        at: str = "",
    ) -> Done:
        assert all(isinstance(word, str) and word for word in words)
        self.commands.append(list(words))
        self.places.append(at or self.host.name)
        return Done(0, b"")

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> Note:
        self.run(*words, env=env, at=at)
        self.notes.append(Note())
        return self.notes[-1]

    def pause(self, seconds: float) -> None:
        assert seconds >= 0
        self.paused_s += seconds


def played(kind: Kind, seed: int, tmp_path: Path, **settings: Any) -> Quiet:
    """Play a kind on a stage where nothing runs."""
    folder = tmp_path / f"act-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    stage = Quiet(kind, seed, folder, **settings)
    kind.play(stage)
    return stage


def plain(stage: Quiet) -> list[str]:
    """Return the commands as text, without the name of the act's own folder."""
    return [" ".join(words).replace(str(stage.folder), "FOLDER") for words in stage.commands]
