"""How often a rule may speak: `threshold` and `detection_filter`, in rules and in threshold.config.

The meanings are those measured on Suricata 7 and 8: a window begins with a flow, has both of its ends
within, and begins anew with the first flow after it.
"""

from dataclasses import dataclass
from typing import Literal, cast, get_args

Kind = Literal["limit", "threshold", "both", "detection_filter"]
Track = Literal["by_src", "by_dst", "by_both", "by_rule", "incident"]
WRITTEN_TRACKS = tuple(track for track in get_args(Track) if track != "incident")

MAX_SECONDS = 365 * 24 * 3600
MAX_COUNT = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Throttle:
    """Which matches of a rule become alerts.

    `limit`: the first `count` of a window. `threshold`: every `count`-th of a window. `both`: the
    `count`-th of a window alone. `detection_filter`: all of a window after the first `count`.
    `track` says which matches share a window: those of one source, one destination, one pair of
    addresses whichever way, all of the rule, or of one `incident` (source, destination and class).
    """

    kind: Kind
    track: Track
    count: int
    seconds: int

    def tells(self, seen: int) -> bool:
        """Say whether the match that is number `seen` (from 1) of its window becomes an alert."""
        if self.kind == "limit":
            return seen <= self.count
        if self.kind == "threshold":
            return seen % self.count == 0
        if self.kind == "both":
            return seen == self.count
        return seen > self.count


GROUPING = Throttle("limit", "incident", 1, 300)
"""For rules without a threshold: one alert in five minutes for a source, a destination and a class."""


def parse_threshold(text: str) -> Throttle:
    """Read `type limit, track by_src, count 1, seconds 60`, in any order.

    Raises ValueError with a reason.
    """
    words = _words(text, ("type", "track", "count", "seconds"))
    kind = words["type"]
    if kind == "backoff":
        raise ValueError("type backoff counts the packets of a flow, and a flow is judged once")
    if kind not in ("limit", "threshold", "both"):
        raise ValueError(f"type {kind!r} is not one of limit, threshold, both")
    return Throttle(cast(Kind, kind), *_numbers(words))


def parse_detection_filter(text: str) -> Throttle:
    """Read `track by_src, count 15, seconds 2`, in any order.

    Raises ValueError with a reason.
    """
    return Throttle("detection_filter", *_numbers(_words(text, ("track", "count", "seconds"))))


def _words(text: str, wanted: tuple[str, ...]) -> dict[str, str]:
    words: dict[str, str] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition(" ")
        if name not in wanted:
            raise ValueError(f"{part.strip()!r} is not one of {', '.join(wanted)} with its value")
        if name in words:
            raise ValueError(f"{name} is given twice")
        words[name] = value.strip()
    missing = [name for name in wanted if not words.get(name)]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be given")
    return words


def _numbers(words: dict[str, str]) -> tuple[Track, int, int]:
    track = words["track"]
    if track == "by_flow":
        raise ValueError("track by_flow counts within one flow, and a flow is judged once")
    if track not in WRITTEN_TRACKS:
        raise ValueError(f"track {track!r} is not one of {', '.join(WRITTEN_TRACKS)}")
    return (
        cast(Track, track),
        read_number(words["count"], "count", 1, MAX_COUNT),
        read_number(words["seconds"], "seconds", 1, MAX_SECONDS),
    )


def read_number(text: str, name: str, low: int, high: int) -> int:
    """Read a whole number in decimal digits between two limits, both within.

    Raises ValueError with a reason that names what the number is.
    """
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"{name} {text!r} is not a whole number from {low} to {high}")
    return int(text)
