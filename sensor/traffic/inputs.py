"""Which of the named files and folders are captures, which events, and in which order they are to be read."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sensor.errors import NettrusionError
from sensor.sources import open_capture
from sensor.sources.records import is_capture

HEAD_BYTES: Final = 1 << 16
WANTED: Final = "give captures (pcap, pcapng), this sensor's eve.json with flow events, or folders of them"

What = Literal["capture", "events", "empty", "other"]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files in the order in which they are to be read: `events` from the earliest on. `skipped` are no input."""

    captures: tuple[str, ...]
    events: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def sort_out(names: Sequence[str]) -> Inputs:
    """Look at files and folders; a file is what its first bytes say. Each is read once, however often it is named.

    In a folder and its folders what is no input is skipped; a file that is named must be one.
    Raises NettrusionError for that, and when there is nothing to read at all.
    """
    captures: list[str] = []
    events: list[tuple[str, str]] = []
    skipped: list[str] = []
    known: set[tuple[int, int]] = set()
    for name, named in _files(names):
        state = os.stat(name)
        if (state.st_dev, state.st_ino) in known:
            continue
        known.add((state.st_dev, state.st_ino))
        what, begun = _look(name)
        if what == "capture":
            captures.append(name)
        elif what == "events":
            events.append((begun, name))
        elif what == "other" and named:
            raise NettrusionError(f"{name}: is neither a capture nor a file of events; {WANTED}")
        else:
            skipped.append(name)
    if not captures and not events:
        raise NettrusionError(f"{', '.join(names)}: nothing to read; {WANTED}")
    # Of two that begin alike the one that was rotated away first has the greater number.
    ordered = sorted(sorted(events, key=lambda one: _natural(one[1]), reverse=True), key=lambda one: one[0])
    return Inputs(tuple(captures), tuple(name for _, name in ordered), tuple(skipped))


def _files(names: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield every file and whether it was named itself."""
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = [file for file in path.rglob("*") if file.is_file()]
            yield from ((str(file), False) for file in sorted(found, key=lambda file: _natural(str(file))))
        elif not path.exists():
            raise NettrusionError(f"{name}: there is no such file; {WANTED}")
        elif not path.is_file():
            raise NettrusionError(f"{name}: is no file that can be looked at twice; {WANTED}")
        else:
            yield name, True


def _look(name: str) -> tuple[What, str]:
    """Return what a file is, and of events the time of the first one."""
    if not os.path.getsize(name):
        return "empty", ""
    try:
        source = open_capture(name)
    except NettrusionError:
        return "other", ""
    try:
        while len(source.window) < HEAD_BYTES and source.more():
            pass
        head = bytes(source.window[:HEAD_BYTES])
    finally:
        source.close()
    if is_capture(head):
        return "capture", ""
    return ("events", _first_time(head)) if head.lstrip()[:1] == b"{" else ("other", "")


def _first_time(head: bytes) -> str:
    for line in head.splitlines():
        try:
            time = json.loads(line)["timestamp"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(time, str):
            return time
    return ""


def _natural(name: str) -> list[tuple[int, str]]:
    """Return what names are ordered by: numbers in them as numbers."""
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in re.findall(r"[0-9]+|[^0-9]+", name)]
