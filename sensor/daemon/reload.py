"""What a running daemon takes over from its configuration: all of it or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sensor.config import Config, flatten, load
from sensor.detector import Detector
from sensor.errors import NettrusionError
from sensor.rulebook import Rulebook
from sensor.scoring import load_detector, load_rulebook
from sensor.selftest import run_selftest

HomeNet = Callable[[Config], str | None]
"""Tells what `auto` stands for as the home network, None for private and link-local networks."""

SECTIONS = ("detector.", "rules.", "sensor.home_net", "sensor.external_net", "output.features")
"""What is judged by; every other key is read once, at the start."""

ARGUMENTS = ("capture.interfaces", "capture.source")
"""What the command line may have set: another value in the file says nothing."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration whose model and rules have been loaded and tried.

    Attributes:
        config: the running configuration with what may change while it runs.
        detector: its model.
        rulebook: its rules, with no incident open.
        ignored: keys that have another value in the file and take a restart.
    """

    config: Config
    detector: Detector
    rulebook: Rulebook
    ignored: tuple[str, ...] = ()


def private_networks(config: Config) -> str | None:
    """Say of any configuration that no interface has an address, as where there is none."""
    return None


def load_again(running: Config, path: Path | None, overrides: Sequence[str], home_net: HomeNet) -> Loaded:
    """Read the configuration once more and load and try what it names.

    Raises NettrusionError, and nothing has changed, for whatever is wrong with any of it.
    """
    asked = load(path, overrides=overrides).config
    fresh = replace(
        running,
        detector=asked.detector,
        rules=asked.rules,
        sensor=replace(running.sensor, home_net=asked.sensor.home_net, external_net=asked.sensor.external_net),
        output=replace(running.output, features=asked.output.features),
    )
    before, after = flatten(running), flatten(asked)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    ignored = tuple(sorted(key for key in changed if not key.startswith((*SECTIONS, *ARGUMENTS))))
    detector, rulebook = load_detector(fresh), load_rulebook(fresh, home_net(fresh))
    result = run_selftest(fresh)
    if not result.passed:
        raise NettrusionError(f"selftest failed: {result.sentence}")
    return Loaded(fresh, detector, rulebook, ignored)
