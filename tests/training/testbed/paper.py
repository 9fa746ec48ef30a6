"""What every stage of these tests has, and a stage on paper: nothing runs there, everything is noted."""

import os
import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from training.testbed.acts import Done, Kind
from training.testbed.world import Host, World


class Part:
    """Whose act it is, in which world, with which random numbers and settings."""

    def __init__(
        self, world: World, kind: Kind, folder: Path, at: str, seed: int, more: Mapping[str, Any] | None = None
    ) -> None:
        unknown = set(more or {}) - set(kind.settings)
        assert not unknown, f"{kind.name} has no settings {unknown}"
        self.world = world
        self.host: Host = world.host(at)
        self.folder = folder
        self.rng = random.Random(seed)
        self.settings: Mapping[str, Any] = {**kind.settings, **(more or {})}


class Note:
    """A program beside the play: what is typed into it, and whether the play waited for its end."""

    def __init__(self, said: list[str], folder: Path) -> None:
        self.typed: list[str] = []
        self.over = False
        self._said = said
        # Who opens a pipe for writing waits until somebody reads it.
        self._readers = [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) for pipe in sorted(folder.glob("turn*"))]

    def say(self, text: str) -> None:
        self.typed.append(text)
        self._said.append(text)

    def wait(self, limit_s: float = 30.0) -> Done:
        self.over = True
        while self._readers:
            os.close(self._readers.pop())
        return Done(0, b"")

    def stop(self) -> Done:
        return self.wait()


class Paper(Part):
    """An `acts.Stage` that notes commands, where and how they would run, and adds up pauses.

    One entry a command in `commands`, `places` (hosts), `environments` and `expected` (exit codes); one a program
    beside the play in `notes`, all that was typed in `said`. What is run ends at once with `exit_code`.
    """

    def __init__(
        self,
        world: World,
        kind: Kind,
        folder: Path,
        at: str = "desk",
        seed: int = 1,
        more: Mapping[str, Any] | None = None,
        exit_code: int = 0,
    ) -> None:
        super().__init__(world, kind, folder, at, seed, more)
        self.exit_code = exit_code
        self.commands: list[tuple[str, ...]] = []
        self.places: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self.expected: list[Collection[int] | None] = []
        self.notes: list[Note] = []
        self.said: list[str] = []
        self.longest_s = 0.0
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
        self.commands.append(words)
        self.places.append(at or self.host.name)
        self.environments.append(env or {})
        self.expected.append(ok)
        self.longest_s = max(self.longest_s, limit_s)
        return Done(self.exit_code, b"")

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> Note:
        self.run(*words, env=env, limit_s=limit_s, ok=ok, at=at)
        self.notes.append(Note(self.said, self.folder))
        return self.notes[-1]

    def pause(self, seconds: float) -> None:
        assert seconds >= 0
        self.paused_s += seconds
