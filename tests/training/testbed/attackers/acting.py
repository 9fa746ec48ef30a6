"""A stage for attacks that only notes what would be run, and one in the network for those that do run."""

import importlib
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.web.stage import bench_stage
from training.testbed.acts import Done, Kind
from training.testbed.capture import Capture
from training.testbed.network import build
from training.testbed.packets import conversations
from training.testbed.world import RUN, Host, World


@dataclass(slots=True)
class Typed:
    """A program beside the play that notes what is typed into it."""

    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def wait(self, limit_s: float = 30.0) -> Done:
        return Done(0, b"")

    def stop(self) -> Done:
        return Done(0, b"")


@dataclass(slots=True)
class Rehearsal:
    """An `acts.Stage` that runs nothing: it notes commands, their limits and the time that passes."""

    host: Host
    world: World
    rng: random.Random
    folder: Path
    settings: Mapping[str, Any]
    exit_code: int = 1
    commands: list[tuple[str, ...]] = field(default_factory=list)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    typed: list[Typed] = field(default_factory=list)
    paused_s: float = 0.0
    longest_s: float = 0.0

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
        self.environments.append(env or {})
        self.longest_s = max(self.longest_s, limit_s)
        return Done(self.exit_code, b"")

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> Typed:
        self.commands.append(words)
        self.longest_s = max(self.longest_s, limit_s)
        self.typed.append(Typed())
        return self.typed[-1]

    def pause(self, seconds: float) -> None:
        self.paused_s += seconds


def rehearsed(
    kind: Kind, folder: Path, seed: int = 1, host: str = "attacker", *, exit_code: int = 1, **settings: Any
) -> Rehearsal:
    """Play a kind without running anything and return what would have been run; all of it ends with the code."""
    unknown = set(settings) - set(kind.settings)
    assert not unknown, f"{kind.name} has no settings {unknown}"
    world = build()
    own = folder / f"{kind.name}-{seed}-{len(list(folder.iterdir()))}"
    own.mkdir()
    stage = Rehearsal(world.host(host), world, random.Random(seed), own, {**kind.settings, **settings}, exit_code)
    kind.play(stage)
    return stage


def option(words: Sequence[str], name: str) -> str:
    """Return the word after an option."""
    return words[list(words).index(name) + 1]


def of(kinds: Sequence[Kind], name: str) -> Kind:
    """Return a kind by name."""
    return next(kind for kind in kinds if kind.name == name)


Act = tuple[str, str, str, Mapping[str, Any]]
Acts = Sequence[Act]


def opened(bench: Bench, modules: Sequence[str], acts: Acts) -> list[list[Any]]:
    """Play acts (module, kind, host, settings) for real and capture each on its own.

    Returns for each what went wrong and what its host sent: protocol, destination, port, packets.
    """
    bench.serve(*modules)
    told: list[list[Any]] = []
    for number, (module, name, host, settings) in enumerate(acts):
        kinds = importlib.import_module(f"training.testbed.attackers.{module}").KINDS
        kind = replace(of(kinds, name), settings={**of(kinds, name).settings, **settings})
        folder = RUN / f"heard-{number}"
        with Capture(bench.network.capture_links(), folder) as capture:
            with bench_stage(bench, kind, host, number) as stage:
                kind.play(stage)
            heard = capture.stop(0.3)
        talks = [
            talk for link in (f"to-{host}",) for one in heard if one.link == link for talk in conversations(one.path)
        ]
        rows = [[t.key.protocol, t.key.dst, t.key.dport, sum(t.packets)] for t in talks if t.key.protocol != "icmp6"]
        told.append([stage.surprises, rows])
    return told
