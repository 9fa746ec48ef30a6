"""A world, a registry and a stage for tests that need no network: programs run right here."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from training.testbed.acts import Kind, Stage
from training.testbed.programs import Programs
from training.testbed.world import Host, World

WORLD = World(
    {
        "desk": Host("desk", "inside", 1),
        "laptop": Host("laptop", "inside", 2),
        "web": Host("web", "servers", 9),
        "attacker": Host("attacker", "outside", 101),
    },
    {"ada": "secret"},
)


def here() -> tuple[Programs, list[str]]:
    """Return programs that run in this network, and the list of hosts that they were meant for."""
    entered: list[str] = []

    @contextmanager
    def enter(host: Host) -> Iterator[None]:
        entered.append(host.name)
        yield

    return Programs(enter, lambda run: {"PATH": os.defpath, "TESTBED_RUN": str(run)}), entered


def kind(name: str, play: Callable[[Stage], None], **more: Any) -> Kind:
    """Return a kind of act; benign unless `more` says otherwise."""
    return Kind(name, more.pop("label", "benign"), play, **more)


def kinds(*all_of_them: Kind) -> Mapping[str, Kind]:
    """Return kinds by name."""
    return {one.name: one for one in all_of_them}
