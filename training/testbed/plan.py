"""The plan of a recording: which acts begin when, in virtual time, from a profile and its seed."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from training.testbed.settings import Attack, Doing, Profile, Role

SECOND = 10**9
PRESENT_SIGMA = 0.7
ABSENT_SIGMA = 0.9
GAP_SIGMA = 1.1
"""Shapes of the lognormal distributions; a person's gaps of this shape come in bunches."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its number in the order of virtual time (from 1), kind, host, virtual start, settings.

    `settings` are the profile's alone; `seed` starts the act's own random numbers and depends on
    nothing but the recording's seed and who does it for the how-manieth time.
    """

    number: int
    kind: str
    host: str
    virtual_start_ns: int
    settings: Mapping[str, Any]
    seed: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """An act before it has its number; `at_s` since the beginning."""

    at_s: float
    kind: str
    host: str
    settings: Mapping[str, Any]
    seed: str


def plan(profile: Profile, seed: int) -> list[Act]:
    """Return all acts in virtual order; the same profile and seed give the same plan."""
    entries = [entry for name, role in profile.roles.items() for entry in _role(profile, name, role, seed)]
    for place, attack in enumerate(profile.attacks):
        entries += _attack(profile, attack, f"{seed}/attack {place}/{attack.kind}")
    entries.sort(key=lambda entry: (entry.at_s, entry.seed))
    return [
        Act(number, one.kind, one.host, profile.begins_ns + round(one.at_s * SECOND), one.settings, one.seed)
        for number, one in enumerate(entries, 1)
    ]


def presence(role: Role, length_s: float, rng: random.Random) -> list[tuple[float, float]]:
    """Return the periods, in seconds since the beginning, in which one of a role is there."""
    if role.rhythm == "machines":
        return [(0.0, length_s)]
    periods: list[tuple[float, float]] = []
    # Begun a while before, so that nobody waits for the beginning.
    at = -rng.uniform(0.0, 2.0 * (role.present_s + role.absent_s))
    while at < length_s:
        leaves = at + rng.lognormvariate(math.log(role.present_s), PRESENT_SIGMA)
        if leaves > 0.0:
            periods.append((max(0.0, at), min(leaves, length_s)))
        at = leaves + rng.lognormvariate(math.log(role.absent_s), ABSENT_SIGMA)
    return periods


def weight(role: Role, begins_ns: int, at_s: float) -> float:
    """Return the day's curve of a role at a moment: the weight of its hour."""
    if role.rhythm == "machines":
        return 1.0
    return role.curve[int(begins_ns / SECOND + at_s) // 3600 % 24]


def _role(profile: Profile, name: str, role: Role, seed: int) -> Iterator[_Entry]:
    length_s = profile.hours * 3600.0
    for host in role.hosts:
        for place in range(role.count):
            who = f"{seed}/{name}/{host}/{place}"
            periods = presence(role, length_s, random.Random(who))
            for kind, doing in role.kinds.items():
                rng = random.Random(f"{who}/{kind}")
                times = _times(profile, role, doing, periods, rng)
                for turn, at_s in enumerate(times):
                    yield _Entry(at_s, kind, host, doing.settings, f"{who}/{kind}/{turn}")


def _times(
    profile: Profile, role: Role, doing: Doing, periods: list[tuple[float, float]], rng: random.Random
) -> Iterator[float]:
    """Yield when one does a kind of act, in seconds since the beginning."""
    length_s = profile.hours * 3600.0
    if doing.every_s > 0.0:
        at = rng.uniform(0.0, doing.every_s)
        while at < length_s:
            late = at + rng.uniform(0.0, doing.jitter * doing.every_s)
            if late < length_s and any(start <= late < end for start, end in periods):
                yield late
            at += doing.every_s
    if doing.per_hour <= 0.0:
        return
    people = role.rhythm == "people"
    highest = max(role.curve) if people else 1.0
    mean_s = 3600.0 / (doing.per_hour * highest * (profile.busy if people else 1.0))
    for start, end in periods:
        at = start + rng.uniform(0.0, 1.0) * mean_s
        while at < end:
            if rng.random() * highest < weight(role, profile.begins_ns, at):
                yield at
            shape = GAP_SIGMA if people else 0.0
            at += rng.lognormvariate(math.log(mean_s) - shape**2 / 2, shape) if shape else rng.expovariate(1 / mean_s)


def _attack(profile: Profile, attack: Attack, who: str) -> Iterator[_Entry]:
    length_s = profile.hours * 3600.0
    # A series that has no window of its own begins early enough to be whole.
    series_s = attack.every_s * attack.count
    first, last = attack.between_s or (0.0, max(0.0, length_s - series_s))
    for turn in range(attack.times):
        rng = random.Random(f"{who}/{turn}")
        at = rng.uniform(first, last)
        for place in range(attack.count if attack.every_s > 0.0 else 1):
            if at >= length_s:
                return
            yield _Entry(at, attack.kind, attack.host, attack.settings, f"{who}/{turn}/{place}")
            at += attack.every_s * (1.0 + rng.uniform(-attack.jitter, attack.jitter))
