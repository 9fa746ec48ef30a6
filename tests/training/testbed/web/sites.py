"""A world whose web is furnished in a folder of the test's, and acts that are played in it on paper."""

import random
from pathlib import Path
from typing import Any

from tests.training.testbed.paper import Paper
from training.testbed.acts import Kind
from training.testbed.network import build
from training.testbed.web import catalogue
from training.testbed.world import World

__all__ = ["Elsewhere", "Paper", "catalogued", "played"]


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


def played(kind: Kind, world: World, folder: Path, seed: int = 1, at: str = "desk", **more: Any) -> Paper:
    """Play a kind on paper and return the stage."""
    own = folder / f"{kind.name}-{at}-{seed}-{len(more)}"
    own.mkdir()
    stage = Paper(world, kind, own, at, seed, more)
    kind.play(stage)
    return stage
