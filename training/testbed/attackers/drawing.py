"""What the settings of an attack leave open is drawn here: one of several values, a number, a target.

A setting may be a list wherever one value is meant: each act then draws one of them. A number is
the median of a lognormal distribution, so that no two acts are quite the same.
"""

import math
from typing import Any

from training.testbed.acts import Stage

WORDS = ("summer", "winter", "monday", "dragon", "qwerty", "letmein", "welcome", "shadow", "master", "football")


def one(stage: Stage, key: str) -> Any:
    """Return the setting's value, one of them when it is a list."""
    value = stage.settings[key]
    return stage.rng.choice(value) if isinstance(value, list | tuple) else value


def about(stage: Stage, key: str, spread: float = 0.3) -> int:
    """Return a number about the setting's (lognormal, `spread` is sigma), at least 1 and at most four times it."""
    median = float(one(stage, key))
    return max(1, round(min(stage.rng.lognormvariate(math.log(max(median, 0.5)), spread), 4 * median)))


def pause(stage: Stage, key: str) -> None:
    """Let an exponential time pass whose mean is the setting (seconds), at most five times that; 0: none."""
    mean_s = float(one(stage, key))
    if mean_s > 0:
        stage.pause(min(stage.rng.expovariate(1 / mean_s), 5 * mean_s))


def address(stage: Stage, key: str = "target") -> str:
    """Return the address that a setting names: a host's, `spare` or `silent`; IPv6 where `family` is 6."""
    name = one(stage, key)
    if name == "spare":
        return stage.world.spare
    if name == "silent":
        return stage.world.silent
    host = stage.world.host(name)
    return host.v6 if stage.settings.get("family", 4) == 6 else host.v4


def bracketed(place: str) -> str:
    """Return an address as it stands in a URL."""
    return f"[{place}]" if ":" in place else place


def guesses(stage: Stage, user: str, tries: int) -> list[str]:
    """Return passwords to try: words and numbers, the right one among them with probability `finds`."""
    made = {f"{stage.rng.choice(WORDS)}{stage.rng.randint(0, 999)}" for _ in range(2 * tries)}
    words = sorted(made - {stage.world.passwords[user]})
    stage.rng.shuffle(words)
    words = words[:tries]
    if stage.rng.random() < float(stage.settings["finds"]):
        words[stage.rng.randrange(len(words) // 2, len(words))] = stage.world.passwords[user]
    return words
