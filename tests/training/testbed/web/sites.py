"""A world whose web is furnished in a folder of the test's, and a stage that only writes down."""

import os
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.testbed.acts import Done, Kind
from training.testbed.network import build
from training.testbed.web import catalogue
from training.testbed.world import Host, World


def catalogued(folder: Path) -> World:
    """Return a world whose sites have catalogues below a folder, and no files."""
    world = Elsewhere(folder)
    rng = random.Random(11)
    (folder / "web").mkdir()
    (folder / "sites").mkdir()
    catalogue.drawn(rng, world.name("web"), 8).save(folder / "web")
    for site in catalogue.web_of(rng, [site.name for site in world.sites]):
        site.save(folder / "sites")
    return world


class Elsewhere(World):
    """The usual world, with its servers' folders below one of the test's."""

    def __init__(self, folder: Path) -> None:
        usual = build()
        super().__init__(usual.hosts, usual.passwords)
        object.__setattr__(self, "_folder", folder)

    def folder(self, server: str) -> Path:
        return Path(object.__getattribute__(self, "_folder")) / server


@dataclass
class Paper:
    """A stage on paper: programs are written down and end well at once, pauses are added up."""

    world: World
    kind: Kind
    folder: Path
    at: str = "desk"
    seed: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    expected: list[Collection[int] | None] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    paused_s: float = 0.0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.host: Host = self.world.host(self.at)
        self.settings = {**self.kind.settings, **self.more}

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limit_s: float = 30.0,
        ok: Collection[int] | None = (0,),
        at: str = "",
    ) -> Done:
        self.commands.append(words)
        self.expected.append(ok)
        return Done(0, b"")

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> "Paper":
        self.run(*words, ok=ok)
        self._readers = [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) for pipe in sorted(self.folder.glob("turn*"))]
        return self

    def say(self, text: str) -> None:
        self.said.append(text)

    def wait(self, limit_s: float = 30.0) -> Done:
        for reader in self._readers:
            os.close(reader)
        return Done(0, b"")

    def stop(self) -> Done:
        return self.wait()

    def pause(self, seconds: float) -> None:
        self.paused_s += seconds


def played(kind: Kind, world: World, folder: Path, seed: int = 1, at: str = "desk", **more: Any) -> Paper:
    """Play a kind on paper and return the stage."""
    own = folder / f"{kind.name}-{at}-{seed}-{len(more)}"
    own.mkdir()
    stage = Paper(world, kind, own, at, seed, more)
    kind.play(stage)
    return stage
