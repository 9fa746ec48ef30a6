"""What happens on the recorded network: kinds of acts, and the stage on which one is played.

An act is what somebody does in one go: read a page, fetch mail, scan a subnet. A kind of act is a
function that plays it with real programs on a stage; benign kinds lie in `people`, attacks in
`attackers`, and both draw whatever they draw from the stage's own random numbers. When an act
begins is the plan's business, never its own.
"""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from training.testbed.world import Host, World

Label = Literal[
    "benign",
    "scan",
    "dos",
    "ddos",
    "slowdos",
    "bruteforce",
    "web",
    "bot",
    "tunnel",
    "exfiltration",
    "lateral",
    "infiltration",
]
LABELS: tuple[str, ...] = get_args(Label)


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended: its exit code (negative: the signal that killed it), what it printed."""

    exit_code: int
    output: bytes


class Running(Protocol):
    """A program that runs beside the play."""

    def say(self, text: str) -> None:
        """Type into it; one that has gone meanwhile does not mind."""
        ...

    def wait(self, limit_s: float = 30.0) -> Done:
        """Wait for its end; at the limit it is killed with its children."""
        ...

    def stop(self) -> Done:
        """End it: SIGTERM, and SIGKILL two seconds later."""
        ...


class Stage(Protocol):
    """Where one act is played. Every program that it starts is logged with act, command and times."""

    @property
    def host(self) -> Host:
        """The host whose act this is; programs run in its network namespace."""
        ...

    @property
    def world(self) -> World:
        """The network: other hosts, names, passwords."""
        ...

    @property
    def rng(self) -> random.Random:
        """Random numbers of this act alone; nothing else may be drawn from."""
        ...

    @property
    def folder(self) -> Path:
        """An empty folder of this act alone, in memory, deleted afterwards."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """The kind's defaults with what the profile sets above them."""
        ...

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limit_s: float = 30.0,
        ok: Collection[int] | None = (0,),
        at: str = "",
    ) -> Done:
        """Run a program to its end.

        It is killed with its children at `limit_s`. An exit code that is not in `ok` is noted as a
        surprise and reported with the recording; `ok=None` takes any. `at` names another host, for
        what an attacker does on a machine that he got into; the flows are this act's all the same.
        """
        ...

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> Running:
        """Start a program beside the play, with a pipe to type into; it ends with the act at the latest."""
        ...

    def pause(self, seconds: float) -> None:
        """Let time pass within the act; it passes on the wire too."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of act.

    `needs` maps each program to the Debian package that brings it, `services` names the servers
    that must run, `lasts_s` is about how long one takes (seconds, for planning), `limit_s` when
    everything of it is killed, `settings` what the profile may set, with defaults.
    """

    name: str
    label: Label
    play: Callable[[Stage], None]
    needs: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    lasts_s: float = 2.0
    limit_s: float = 60.0
    settings: Mapping[str, Any] = field(default_factory=dict)
