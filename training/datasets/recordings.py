"""Our own recordings: captures with a label for each conversation, made flows by the sensor's engine.

A recording is `NAME.labels.csv` beside its capture `NAME.pcap.gz` (or .pcap, .pcapng, .zst), with
`NAME.manifest.json` if the testbed made it. A flow takes the label of the conversation that has its
5-tuple, either way round, at its time; what finds no partner is counted on both sides.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import conversations
from training.datasets.conversations import Conversation
from training.datasets.manifest import SourceFile, sha256_of

LABELS, MANIFEST = ".labels.csv", ".manifest.json"
CAPTURES = (".pcap.gz", ".pcap", ".pcapng", ".pcapng.gz", ".pcap.zst", ".pcapng.zst")
NO_ROW = "no labelled conversation has the flow's 5-tuple at its time"
TWO_LABELS = "conversations of two labels share the flow"


@dataclass(frozen=True, slots=True)
class Recording:
    """The flows of one recording that have a label, and what became of the others.

    Attributes:
        name: NAME of the files.
        flows: (n,) FLOW_DTYPE, by start.
        rows: (n,) int64, index into `conversations`: the one that a flow shares most time with.
        conversations: every row of the labels file.
        files: the capture, with its flows as rows, and the labels.
        dropped: flows without a label, by reason.
        unmatched: rows of the labels file that no flow belongs to.
    """

    name: str
    flows: npt.NDArray[np.void]
    rows: npt.NDArray[np.int64]
    conversations: Sequence[Conversation]
    files: tuple[SourceFile, SourceFile]
    dropped: dict[str, int]
    unmatched: int

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return (n,) one attribute of each flow's conversation."""
        return np.array([getattr(talk, name) for talk in self.conversations])[self.rows]


def find(place: Path) -> list[Path]:
    """Return the labels files below a folder, or the one that a path of the recording names, sorted."""
    if place.is_dir():
        return sorted(place.rglob(f"*{LABELS}"))
    endings = [ending for ending in (LABELS, MANIFEST, *CAPTURES) if place.name.endswith(ending)]
    longest = max(endings, key=len, default="")
    return [place.with_name(place.name.removesuffix(longest) + LABELS)] if endings else []


@dataclass(frozen=True, slots=True)
class Found:
    """Where a recording lies: NAME, its capture, its labels."""

    name: str
    capture: Path
    labels: Path


def locate(places: Iterable[Path]) -> Iterator[Found]:
    """Yield where every recording of some folders or files lies.

    Raises NettrusionError: there is none, a file is missing, or two have one name.
    """
    met: set[str] = set()
    for place in places:
        found = find(place)
        if not found:
            raise NettrusionError(f"{place}: no recording; give a folder with NAME{LABELS} beside its capture")
        for labels in found:
            name = labels.name.removesuffix(LABELS)
            if name in met:
                raise NettrusionError(f"{labels}: a recording called {name} was read already; rename one of the two")
            met.add(name)
            yield Found(name, _capture(name, labels), labels)


def read(places: Iterable[Path]) -> Iterator[Recording]:
    """Yield every recording of some folders or files, its flows labelled.

    Raises NettrusionError: a file is missing, is not the one its manifest names, or two have one name.
    """
    for found in locate(places):
        yield _recording(found)


def assemble(path: Path) -> npt.NDArray[np.void]:
    """Return the finished flows (FLOW_DTYPE) of one capture by the sensor's own flow rules, by start.

    The rules are those of a sensor that nobody configured: it looks at flows while they are open as well, which
    is when a closed connection counts as ended, so that hosts are told of as they are on a wire. Only finished
    flows are returned. A capture that is cut short gives its whole packets. Raises NettrusionError for what is no
    capture.
    """
    from sensor.assembly import profile
    from sensor.config import FlowsConfig
    from sensor.flows import FlowEngine, Framing, Reason, pick
    from sensor.sources import open_capture

    engine = FlowEngine(profile(FlowsConfig()))
    source = open_capture(path)
    taken = []
    try:
        while len(source.window) < 4 and source.more():
            pass
        try:
            framing = Framing.sniff(source.window[:4])
        except ValueError as error:
            raise NettrusionError(f"{source.name}: {error}") from error
        while not framing.corrupt:
            used = engine.feed(source.window, framing)
            source.advance(used)
            taken.append(engine.take())
            # The engine also stops when many flows wait; nothing used means that it needs more.
            if not used and not source.more():
                break
    finally:
        source.close()
    engine.finish()
    flows = whole([*taken, engine.take()])
    ended = np.flatnonzero(flows["reason"] != Reason.SNAPSHOT)
    return pick(flows, ended[np.argsort(flows["start_ns"][ended], kind="stable")])


def whole(parts: Iterable[npt.NDArray[np.void]]) -> npt.NDArray[np.void]:
    """Return tables of FLOW_DTYPE put one behind the other, shape (how many,); none give an empty one.

    They are moved as bytes: numpy compares the fields of a nested type once more for each part.
    """
    from sensor.flows import FLOW_DTYPE

    return np.frombuffer(bytearray().join(part.tobytes() for part in parts), dtype=FLOW_DTYPE)


@dataclass(frozen=True, slots=True)
class Joined:
    """Flows and the conversations that they belong to.

    Attributes:
        rows: (n,) int64, index into `conversations`: the one that a flow shares most time with, -1 for none.
        conversations: every row of the labels file.
        dropped: (n,) bool each, the flows without a label, by reason.
        unmatched: rows of the labels file that no flow belongs to.
    """

    rows: npt.NDArray[np.int64]
    conversations: Sequence[Conversation]
    dropped: dict[str, npt.NDArray[np.bool_]]
    unmatched: int


def joined(flows: npt.NDArray[np.void], labels: Path) -> Joined:
    """Give flows (FLOW_DTYPE, (n,)) the conversations of a labels file; raises NettrusionError for what is none."""
    keys, talks = conversations.read(labels)
    rows = np.full(len(flows), -1, dtype=np.int64)
    dropped = {reason: np.zeros(len(flows), dtype=bool) for reason in (NO_ROW, TWO_LABELS)}
    met: set[int] = set()
    for place, (key, start_ns, end_ns) in enumerate(conversations.spans(flows)):
        partners = [number for number in keys.get(key, ()) if talks[number].overlap(start_ns, end_ns) >= 0]
        met.update(partners)
        if not partners:
            dropped[NO_ROW][place] = True
        elif len({talks[number].label for number in partners}) > 1:
            dropped[TWO_LABELS][place] = True
        else:
            rows[place] = max(partners, key=lambda number: talks[number].overlap(start_ns, end_ns))
    return Joined(rows, talks, dropped, len(talks) - len(met))


def _recording(found: Found) -> Recording:
    flows = assemble(found.capture)
    join = joined(flows, found.labels)
    files = (
        SourceFile(found.capture.name, found.capture.stat().st_size, sha256_of(found.capture), len(flows)),
        SourceFile(found.labels.name, found.labels.stat().st_size, sha256_of(found.labels), len(join.conversations)),
    )
    check(found.labels, {file.name: file.sha256 for file in files})
    told = join.rows >= 0
    dropped = {reason: int(mask.sum()) for reason, mask in join.dropped.items()}
    return Recording(found.name, flows[told], join.rows[told], join.conversations, files, dropped, join.unmatched)


def _capture(name: str, labels: Path) -> Path:
    """Return the capture beside a labels file."""
    for ending in CAPTURES:
        if (found := labels.with_name(name + ending)).is_file():
            return found
    raise NettrusionError(f"{labels}: no capture beside it; looked for {name} with {', '.join(CAPTURES)}")


def check(labels: Path, found: dict[str, str]) -> None:
    """Raise NettrusionError if a manifest beside the labels names other files."""
    path = labels.with_name(labels.name.removesuffix(LABELS) + MANIFEST)
    if not path.is_file():
        return
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        wanted = {said[part]["file"]: said[part]["sha256"] for part in ("capture", "labels")}
    except (ValueError, KeyError, TypeError) as problem:
        raise NettrusionError(f"{path}: is no manifest of a recording ({problem!r}); record it again") from problem
    for name, sha256 in wanted.items():
        if found.get(name) != sha256:
            raise NettrusionError(f"{path}: names {name} with sha256 {sha256[:12]}..., which lies not beside it")
