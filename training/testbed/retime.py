"""From real time to virtual time: the packets of each act move to where the plan has the act.

A recording plays its acts as densely as the machine allows. Afterwards everything that belongs to
an act (packets, labels, sockets, program runs) moves by one offset, from when the act really began
to when the plan has it: inside an act every gap stays what it was on the wire. What belongs to no
act takes the offset of the act that began last, one for a whole conversation.

Two conversations of one 5-tuple that come from different acts must not come closer to each other
than they were on the wire, unless they still have `REST_NS` between them; otherwise the later act is
moved on by seconds, and this is noted.
"""

import gzip
import struct
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensor.errors import NettrusionError
from training.testbed.labels import Labelled, Labels, Played, Story
from training.testbed.packets import Capture, Tuple5
from training.testbed.programs import Run
from training.testbed.sockets import Socket

SECOND_NS = 1_000_000_000
# Beyond this no state that a flow's end leaves behind, on a host or in a sensor, is still alive.
REST_NS = 130 * SECOND_NS
MOST_ROUNDS = 1000
PCAP_HEAD = struct.Struct("<IHHiIII")
RECORD_HEAD = struct.Struct("<IIII")


@dataclass(frozen=True, slots=True)
class Settled:
    """A recording in virtual time.

    `labels` has the rows, and whose each packet is, in the order of the finished capture; `times_ns`
    (int64[packets], whole microseconds) and `order` (int64[packets], places in `capture`) are in that
    order too. `lines` are the sockets that own a conversation. `notes` says which acts had to be moved.
    """

    capture: Capture
    order: NDArray[np.int64]
    times_ns: NDArray[np.int64]
    labels: Labels
    lines: Sequence[Socket]
    story: Story
    notes: Sequence[str]

    @property
    def rows(self) -> Sequence[Labelled]:
        """The labelled conversations in order of their first packets."""
        return self.labels.rows


@dataclass(slots=True)
class _Clock:
    """The offset of each act, and of each conversation that belongs to none; both can be moved on.

    A mover is an act's number, or -1 - the place of a conversation without an act.
    """

    story: Story
    rows: Sequence[Labelled]
    extra_ns: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    begun_ns: list[int] = field(default_factory=list)
    begun: list[Played] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = sorted(self.story.acts.values(), key=lambda act: (act.real_ns, act.act))
        self.begun_ns = [act.real_ns for act in self.begun]

    def act(self, number: int) -> int:
        """Return an act's offset."""
        return self.story.acts[number].offset_ns + self.extra_ns[number]

    def at(self, time_ns: int) -> int:
        """Return the offset of the act that began last by a time; before all, the first one's."""
        if not self.begun:
            return 0
        return self.act(self.begun[max(0, bisect_right(self.begun_ns, time_ns) - 1)].act)

    def mover(self, place: int) -> int:
        """Return who moves the conversation at a place."""
        return self.rows[place].act or -1 - place

    def row(self, place: int) -> int:
        """Return the offset of the conversation at a place."""
        row = self.rows[place]
        if row.act:
            return self.act(row.act)
        return self.at(row.line.time_ns if row.line else row.talk.start_ns) + self.extra_ns[-1 - place]


def settle(capture: Capture, labels: Labels, lines: Iterable[Socket], story: Story) -> Settled:
    """Return a recording in virtual time; `story` has its runs in real time.

    Of the socket log's lines, only those that own a conversation stay; the notes count the acts'
    others: connections that nothing was sent for, or whose every packet was lost on the way.

    Raises NettrusionError when the conversations of one 5-tuple cannot be kept apart.
    """
    clock = _Clock(story, labels.rows)
    notes = _keep_apart(clock)
    offsets = np.array([clock.row(place) for place in range(len(labels.rows))] + [0], dtype=np.int64)
    moved = capture.time_ns + offsets[labels.owners]
    for packet in np.flatnonzero(labels.owners < 0).tolist():
        moved[packet] = capture.time_ns[packet] + clock.at(int(capture.time_ns[packet]))
    micros = moved // 1000
    order = np.argsort(micros, kind="stable")
    owners, firsts = np.unique(labels.owners[order], return_index=True)
    ranked = [owner for _, owner in sorted(zip(firsts.tolist(), owners.tolist(), strict=True)) if owner >= 0]
    place_of = np.full(len(labels.rows) + 1, -1, dtype=np.int32)
    place_of[ranked] = np.arange(len(ranked), dtype=np.int32)
    owning: dict[Socket, Socket] = {}
    rows = [_moved_row(labels.rows[old], int(offsets[old]), owning) for old in ranked]
    return Settled(
        capture=capture,
        order=order,
        times_ns=micros[order] * 1000,
        labels=Labels(rows, place_of[labels.owners[order]]),
        lines=sorted(owning.values(), key=lambda line: (line.time_ns, line.run, line.key)),
        story=_moved_story(clock),
        notes=[*notes, *_silent(lines, owning, story)],
    )


def _keep_apart(clock: _Clock) -> list[str]:
    """Move on what would come too near to another conversation of its 5-tuple; say which acts."""
    groups: dict[tuple[Tuple5, Tuple5 | None], list[int]] = defaultdict(list)
    for place, row in enumerate(clock.rows):
        groups[min(row.talk.key, row.talk.key.turned()), row.talk.about].append(place)
    shared = [places for places in groups.values() if len({clock.mover(place) for place in places}) > 1]
    for _ in range(MOST_ROUNDS):
        pushes = [push for places in shared if (push := _push(clock, places))]
        if not pushes:
            break
        for mover, by_ns in dict(sorted(pushes)).items():
            clock.extra_ns[mover] += by_ns
    else:
        raise NettrusionError(f"{len(pushes)} 5-tuples have conversations of acts that cannot be kept apart.")
    return [
        f"act {mover} ({clock.story.acts[mover].kind}) begins {by_ns // SECOND_NS} s later than planned:"
        " it used a 5-tuple of another act"
        for mover, by_ns in sorted(clock.extra_ns.items())
        if mover > 0 and by_ns
    ]


def _push(clock: _Clock, places: Sequence[int]) -> tuple[int, int] | None:
    """Return the first mover of a 5-tuple that must move on and by how much, None if all is well."""
    rows = clock.rows
    offset = {place: clock.row(place) for place in places}
    by_time = sorted(places, key=lambda place: (rows[place].talk.start_ns + offset[place], place))
    for one, other in pairwise(by_time):
        if clock.mover(one) == clock.mover(other):
            continue
        first, second = rows[one].talk, rows[other].talk
        wire_ns = second.start_ns - first.end_ns
        needed_ns = min(wire_ns, REST_NS) if second.start_ns >= first.start_ns else REST_NS
        lacking_ns = needed_ns - (wire_ns + offset[other] - offset[one])
        if lacking_ns > 0:
            mover = clock.mover(other)
            unit = SECOND_NS if mover > 0 else 1000
            return mover, -(-lacking_ns // unit) * unit
    return None


def _silent(lines: Iterable[Socket], owning: Mapping[Socket, Socket], story: Story) -> list[str]:
    connects = [
        line for line in lines if line.kind == "connect" and line.run in story.runs and story.runs[line.run].act
    ]
    silent = sum(line not in owning for line in connects)
    return [f"{silent} of the acts' {len(connects)} TCP connections have no packet in the capture"] if silent else []


def _moved_row(row: Labelled, by_ns: int, lines: dict[Socket, Socket]) -> Labelled:
    talk = replace(row.talk, start_ns=row.talk.start_ns + by_ns, end_ns=row.talk.end_ns + by_ns)
    if row.line is None:
        return replace(row, talk=talk)
    line = lines.setdefault(row.line, replace(row.line, time_ns=row.line.time_ns + by_ns))
    return replace(row, talk=talk, line=line)


def _moved_story(clock: _Clock) -> Story:
    story = clock.story
    acts = {
        number: replace(act, start_ns=act.start_ns + clock.extra_ns[number], end_ns=act.end_ns + clock.extra_ns[number])
        for number, act in story.acts.items()
    }
    runs = {number: _moved_run(run, clock) for number, run in story.runs.items()}
    return replace(story, acts=acts, runs=runs)


def _moved_run(run: Run, clock: _Clock) -> Run:
    if run.act:
        offsets = (clock.act(run.act), clock.act(run.act))
    else:
        offsets = (clock.at(run.start_ns), max((clock.act(act) for act in clock.story.acts), default=0))
    return replace(run, start_ns=run.start_ns + offsets[0], end_ns=run.end_ns + offsets[1])


def write_capture(path: Path, settled: Settled, snap_bytes: int, level: int = 6) -> Mapping[str, int]:
    """Write the capture as gzipped microsecond pcap; return packets, snap_bytes, start_ns and end_ns.

    The same packets give the same bytes. An empty capture has 0 for both times.
    """
    capture, data = settled.capture, settled.capture.data
    columns = (settled.times_ns // 1000, capture.at[settled.order], capture.kept[settled.order])
    wires = capture.wire[settled.order].tolist()
    with path.open("wb") as file, gzip.GzipFile("", "wb", level, file, mtime=0) as packed:
        packed.write(PCAP_HEAD.pack(0xA1B2C3D4, 2, 4, 0, 0, snap_bytes, 1))
        parts: list[bytes] = []
        for micros, at, kept, wire in zip(*(column.tolist() for column in columns), wires, strict=True):
            short = min(kept, snap_bytes)
            parts.append(RECORD_HEAD.pack(micros // 1_000_000, micros % 1_000_000, short, wire))
            parts.append(data[at : at + short])
            if len(parts) >= 8192:
                packed.write(b"".join(parts))
                parts.clear()
        packed.write(b"".join(parts))
    times = settled.times_ns
    first, last = (int(times[0]), int(times[-1])) if len(times) else (0, 0)
    return {"packets": len(times), "snap_bytes": snap_bytes, "start_ns": first, "end_ns": last}
