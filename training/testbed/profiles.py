"""What a recording consists of: how long, how busy, which attacks with which settings."""

from dataclasses import dataclass
from typing import Literal

Label = Literal["benign", "scan", "dos", "bruteforce"]


@dataclass(frozen=True, slots=True)
class Scan:
    """One nmap run: its probe (`-sS`, `-sT`, `-sF`), how many ports, which settings beside."""

    probe: str
    ports: int
    target: Literal["server", "silent"] = "server"
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlowHttp:
    """One slowhttptest run: mode (`-H` headers, `-B` body, `-X` read) and its pace."""

    mode: str
    connections: int
    per_second: int
    seconds: int
    interval_s: int


@dataclass(frozen=True, slots=True)
class Guess:
    """One password guesser: the service, how many passwords, how many connections at a time.

    `tool` is hydra, which keeps its connections, or a loop around the SSH client, one guess each.
    """

    service: Literal["ssh", "http-get"]
    passwords: int
    tasks: int
    finds_it: bool = False
    tool: Literal["hydra", "ssh-loop"] = "hydra"


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of a recording.

    `outside` and `inside` are attacks, one after the other, from the outside host and from the
    laptop; both hosts go on with benign work meanwhile. `pause_s` is the mean pause between two
    benign actions of one actor, in seconds.
    """

    name: str
    seconds: float
    lead_s: float
    pause_s: float
    outside: tuple[Scan | SlowHttp | Guess, ...]
    inside: tuple[Scan | SlowHttp | Guess, ...]
    snap_bytes: int = 192


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="demo",
            seconds=66.0,
            lead_s=6.0,
            pause_s=0.6,
            outside=(
                Scan("-sS", 160, options=("-T4",)),
                Scan("-sS", 30, target="silent", options=("-T4", "--max-retries", "1")),
                SlowHttp("-H", connections=40, per_second=10, seconds=24, interval_s=6),
                Guess("ssh", passwords=16, tasks=4),
                Guess("ssh", passwords=28, tasks=1, tool="ssh-loop"),
            ),
            inside=(
                Scan("-sT", 90, options=("-T3", "--scan-delay", "40ms")),
                Guess("http-get", passwords=60, tasks=4, finds_it=True),
            ),
        ),
        Profile(
            name="evening",
            seconds=70.0,
            lead_s=10.0,
            pause_s=1.2,
            outside=(
                Guess("http-get", passwords=80, tasks=2),
                Scan("-sF", 60, options=("-T4",)),
                SlowHttp("-B", connections=25, per_second=5, seconds=24, interval_s=4),
                Scan("-sT", 140, options=("-T4",)),
            ),
            inside=(
                Guess("ssh", passwords=18, tasks=2),
                Scan("-sS", 80, options=("-T3", "--scan-delay", "100ms")),
            ),
        ),
        Profile(
            name="brief",
            seconds=6.0,
            lead_s=0.5,
            pause_s=0.4,
            outside=(
                Scan("-sS", 20, options=("-T4",)),
                SlowHttp("-H", connections=6, per_second=6, seconds=3, interval_s=1),
            ),
            inside=(Guess("http-get", passwords=6, tasks=2),),
        ),
    )
}
