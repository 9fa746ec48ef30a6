"""A server of the recorded network: how it is set up and started, and when it is ready."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from training.testbed.world import World


@dataclass(frozen=True, slots=True)
class Service:
    """One server program (or a few that belong together) on one host.

    `furnish` writes configuration, keys and files below `world.folder(name)`; `commands` returns
    the programs to start in the foreground, each a list of words; the service is ready when all of
    `tcp` and `udp` ports are bound in its host's namespace. `logs` names files below its folder
    that tell who connected, for a second witness.
    """

    name: str
    host: str
    furnish: Callable[[World, random.Random], None]
    commands: Callable[[World], Sequence[Sequence[str]]]
    needs: Mapping[str, str] = field(default_factory=dict)
    tcp: tuple[int, ...] = ()
    udp: tuple[int, ...] = ()
    logs: tuple[str, ...] = ()
