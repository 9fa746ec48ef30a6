"""Attacks that are rehearsed on paper, and played in the network for real."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.paper import Paper
from tests.training.testbed.web.stage import bench_stage
from training.testbed.acts import Kind
from training.testbed.capture import Capture
from training.testbed.network import build
from training.testbed.packets import conversations
from training.testbed.world import RUN


def rehearsed(
    kind: Kind, folder: Path, seed: int = 1, host: str = "attacker", *, exit_code: int = 1, **settings: Any
) -> Paper:
    """Play a kind without running anything and return what would have been run; all of it ends with the code."""
    own = folder / f"{kind.name}-{seed}-{len(list(folder.iterdir()))}"
    own.mkdir()
    stage = Paper(build(), kind, own, host, seed, settings, exit_code)
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
