"""The servers of a recording: set up, started, waited for, and named when they do not come up."""

import random
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sensor.errors import NettrusionError
from training.testbed.programs import SAID_BYTES, Order, Programs, Started, Surprise, shown
from training.testbed.service import Service
from training.testbed.world import Host, World

READY_S = 30.0
"""What all services together have until they listen, in seconds."""
ASK_S = 0.1
TABLES = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
LISTENS = {"tcp": "0A", "udp": "07"}
"""The kernel's numbers for a TCP socket that listens and a UDP socket without a peer."""


class Entered(Protocol):
    """What moves the calling thread into a host's network: `network.Network`."""

    def enter(self, host: Host | str) -> AbstractContextManager[None]:
        """Move the calling thread into a host's network, and back at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """A service with the programs that serve it."""

    service: Service
    programs: tuple[Started, ...]


def serve(services: Iterable[Service], world: World, network: Entered, programs: Programs, seed: int) -> list[Served]:
    """Set all services up, start them, and return when all their ports are bound.

    Raises NettrusionError with a service's own words when it ends or does not listen in time.
    """
    served = []
    for service in services:
        world.folder(service.name).mkdir(exist_ok=True)
        try:
            service.furnish(world, random.Random(f"{seed}/service/{service.name}"))
            words = service.commands(world)
        except Exception as problem:
            raise NettrusionError(f"the service {service.name} cannot be set up: {problem}") from problem
        host = world.host(service.host)
        started = tuple(programs.start(Order(host, one)) for one in words)
        served.append(Served(service, started))
    until = time.monotonic() + READY_S
    for one in served:
        while silent := unbound(one.service, network):
            alive(served, world)
            if time.monotonic() > until:
                raise NettrusionError(
                    f"the service {one.service.name} on {one.service.host} does not listen on {', '.join(silent)}"
                    f" after {READY_S:g} s; {_words(one, world)}"
                )
            time.sleep(ASK_S)
    alive(served, world)
    return served


def alive(served: Sequence[Served], world: World) -> None:
    """Raise NettrusionError, with its own words, for a service of which a program has ended."""
    for one in served:
        for started in one.programs:
            if started.ended(0.0):
                code = started.collect().exit_code
                raise NettrusionError(
                    f"the service {one.service.name} on {one.service.host} has ended with exit code {code}"
                    f" ({shown(started.order.words)}); {_words(one, world)}"
                )


def unbound(service: Service, network: Entered) -> list[str]:
    """Return the ports of a service that nobody has bound on its host."""
    with network.enter(service.host):
        bound = {protocol: ports(protocol) for protocol in TABLES}
    asked = [("tcp", port) for port in service.tcp] + [("udp", port) for port in service.udp]
    return [f"{protocol} {port}" for protocol, port in asked if port not in bound[protocol]]


def ports(protocol: str) -> set[int]:
    """Return the ports that are bound, and for TCP listen, in the network of the calling thread."""
    found = set()
    for table in TABLES[protocol]:
        for line in Path("/proc/thread-self/net", table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENS[protocol]:
                found.add(int(words[1].rpartition(":")[2], 16))
    return found


def _words(one: Served, world: World) -> str:
    """Return the last words of a service: what its programs printed and what its logs hold."""
    said = [started.said() for started in one.programs]
    said += [path.read_bytes() for log in one.service.logs if (path := world.folder(one.service.name) / log).is_file()]
    text = " | ".join(" ".join(words[-SAID_BYTES:].decode("utf-8", "replace").split()) for words in said if words)
    return f"it said: {text or 'nothing'}"


def fallen(served: Sequence[Served]) -> list[Surprise]:
    """Return a surprise for each program of a service that has ended although nobody asked it to."""
    return [
        Surprise(0, one.service.name, started.number, f"the service's {shown(started.order.words)} has ended")
        for one in served
        for started in one.programs
        if started.ended(0.0)
    ]
