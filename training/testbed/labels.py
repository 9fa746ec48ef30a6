"""Labels: each conversation of the capture belongs to exactly one logged program run, or it fails.

From a recording's raw files to its finished ones:

    story = Story(acts, runs, services, addresses)          # who played what, in real time
    capture = packets.load(*raw_pcaps)
    lines = sockets.translated(sockets.read(log), translations, story.addresses_of_runs)
    rows = labels.label(capture, lines, story)              # NettrusionError: a conversation without one owner
    settled = retime.settle(capture, rows, lines, story)    # virtual time: .rows .lines .story .notes
    retime.write_capture(folder / "NAME.pcap.gz", settled, snap_bytes=192)
    labels.write(folder / "NAME.labels.csv", settled.rows)
    sockets.write(folder / "NAME.sockets.csv.gz", settled.lines)
    witnesses = evidence.tshark(folder / "NAME.pcap.gz", settled.rows)
    witnesses |= evidence.servers(rows, {"nginx": [web_log], "sshd": [auth_log]})    # rows in real time
    labels.follow(folder / "NAME.pcap.gz", folder / "NAME.sockets.csv.gz", settled.story)  # the same rows again

A conversation belongs to the run that opened its socket: the same 5-tuple from the same side, by
the latest line that is not later than its first packet. What nobody sent from there belongs to
whoever did from the other side. An ICMP error belongs with the conversation that it complains of.
What a server passes on to an attacker's own host (a name server the queries of a tunnel) belongs to
the act whose attack talks to that server at the time, with the same protocol and port.
"""

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sensor.errors import NettrusionError
from training.testbed import packets, sockets
from training.testbed.packets import ND_TYPES, Capture, Conversation, Tuple5
from training.testbed.programs import Run
from training.testbed.sockets import WILDCARDS, Socket

COLUMNS = (
    *("src", "sport", "dst", "dport", "proto", "start", "end", "packets"),
    *("label", "activity", "tool", "act", "run", "host"),
)
KERNEL = "kernel"
# Captures count in microseconds, and cut off what is less.
SLACK_NS = 1_000
# How long after the call a connection's first packet may reach the capture: lost SYNs are repeated.
KNOCKING_NS = 150_000_000_000
# The same for a connection in whose call the program was killed: nothing is repeated any more.
BEGUN_NS = 1_000_000_000
# A datagram may be this much under way between a program that has ended since and the capture.
LINGER_NS = 10_000_000_000
# Of two runs that used one 5-tuple within so short a time, none can be told to be the owner.
CONTESTED_NS = 1_000_000_000
MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Played:
    """An act as it was played: its number, kind, label, host, settings and times in nanoseconds.

    `start_ns` and `end_ns` are virtual; `real_ns` is when it really began.
    """

    act: int
    kind: str
    label: str
    host: str
    start_ns: int
    real_ns: int
    end_ns: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def offset_ns(self) -> int:
        """How far its virtual time is ahead of real time, in whole microseconds."""
        return (self.start_ns - self.real_ns) // 1000 * 1000


@dataclass(frozen=True, slots=True)
class Story:
    """Who did what in a recording.

    `acts` and `runs` by number, `services` the name of the service that a run of act 0 serves,
    `addresses` all addresses of each host, those of its links (fe80::) too. On the `hostile` hosts
    only attackers' own servers run: what a server sends there, it passes on for an attack.
    """

    acts: Mapping[int, Played]
    runs: Mapping[int, Run]
    services: Mapping[int, str]
    addresses: Mapping[str, frozenset[str]]
    hostile: frozenset[str] = frozenset({"attacker"})

    @property
    def addresses_of_runs(self) -> dict[int, frozenset[str]]:
        """All addresses of each run's host."""
        return {number: self.addresses.get(run.host, frozenset()) for number, run in self.runs.items()}

    def host(self, address: str) -> str:
        """Return the name of the host that has an address; empty if none has."""
        return next((name for name, own in self.addresses.items() if address in own), "")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A conversation with the run that made it; run 0 is the hosts' own kernels.

    `host` is whose program, or kernel, began it; `line` is the socket it came from, None for a kernel's.
    """

    talk: Conversation
    label: str
    activity: str
    tool: str
    act: int
    run: int
    host: str
    line: Socket | None = None


class Book:
    """The socket log by 5-tuple; lines of runs that the story does not know are left out."""

    def __init__(self, lines: Iterable[Socket], story: Story) -> None:
        """Index the lines."""
        self._story = story
        self._exact: dict[Tuple5, list[Socket]] = defaultdict(list)
        self._vague: dict[tuple[str, int, str, int], list[Socket]] = defaultdict(list)
        self._meant: dict[tuple[str, str, int], list[Socket]] = defaultdict(list)
        self._called: dict[int, list[Socket]] = defaultdict(list)
        self._own = story.addresses_of_runs
        for line in sorted(lines, key=lambda line: line.time_ns):
            key = line.key
            if line.run not in story.runs:
                continue
            if line.kind == "listen":
                self._called[key.sport].append(line)
            elif line.kind == "intent":
                self._meant[key.protocol, key.dst, key.dport].append(line)
            elif key.src in WILDCARDS and line.kind != "raw":
                self._vague[key.protocol, key.sport, key.dst, key.dport].append(line)
            else:
                self._exact[key].append(line)

    def cuts(self) -> dict[Tuple5, list[int]]:
        """Return when a 5-tuple passed from one run to another; TCP shows that by itself, but for raw packets."""
        handed = {}
        for key, lines in self._exact.items():
            pairs = pairwise(lines)
            times = [new.time_ns - SLACK_NS for old, new in pairs if old.run != new.run and _cuts(new)]
            if times:
                handed[key] = times
        return handed

    def sent(self, key: Tuple5, start_ns: int) -> list[Socket]:
        """Return the lines of who may have sent from this side by then, the latest first."""
        exact = self._exact.get(key, [])
        exact = exact[: bisect_right(exact, start_ns + SLACK_NS, key=lambda line: line.time_ns)]
        vague = [
            line
            for line in self._vague.get((key.protocol, key.sport, key.dst, key.dport), [])
            if line.time_ns <= start_ns + SLACK_NS and key.src in self._own[line.run]
        ]
        alive = [line for line in exact if self._alive(line, start_ns)]
        alive = alive or [line for line in vague if self._alive(line, start_ns)]
        alive = alive or [
            line
            for line in self._meant.get((key.protocol, key.dst, key.dport), [])
            if 0 <= start_ns + SLACK_NS - line.time_ns <= BEGUN_NS and key.src in self._own[line.run]
        ]
        return sorted(alive, key=lambda line: -line.time_ns)

    def sent_until(self, key: Tuple5, start_ns: int, end_ns: int) -> Socket | None:
        """Return the first line from this side between two times, None without."""
        lines = self._exact.get(key, [])
        place = bisect_right(lines, start_ns, key=lambda line: line.time_ns)
        return lines[place] if place < len(lines) and lines[place].time_ns <= end_ns else None

    def called(self, key: Tuple5, start_ns: int) -> Socket | None:
        """Return the line of the act's program that listened where a TCP connection went to, None without."""
        for line in reversed(self._called.get(key.dport, [])):
            run = self._story.runs[line.run]
            here = key.dst in self._own[line.run] and line.key.src in (*WILDCARDS, key.dst)
            if run.act and here and line.time_ns <= start_ns <= run.end_ns + LINGER_NS:
                return line
        return None

    def _alive(self, line: Socket, start_ns: int) -> bool:
        run = self._story.runs[line.run]
        if line.kind == "connect":
            return start_ns <= line.time_ns + KNOCKING_NS
        # A server's run is as long as the recording; only acts' runs have virtual ends of their own.
        return not run.act or start_ns <= run.end_ns + LINGER_NS


def _caused(row: Labelled, attack: Labelled) -> Labelled:
    return replace(row, label=attack.label, activity=attack.activity, act=attack.act)


def _is_kernels(talk: Conversation) -> bool:
    return talk.key.protocol == "igmp" or (talk.key.protocol == "icmp6" and talk.kind in ND_TYPES)


def _cuts(line: Socket) -> bool:
    return line.key.protocol != "tcp" or line.kind == "raw"


@dataclass(slots=True)
class _Court:
    """Decides whose each conversation is, in order of time."""

    book: Book
    story: Story
    known: dict[Tuple5, Labelled] = field(default_factory=dict)
    attacks: dict[tuple[str, str, int], dict[int, Labelled]] = field(default_factory=lambda: defaultdict(dict))

    def decide(self, talk: Conversation) -> Labelled | list[Socket]:
        """Return the label, or the lines between which it cannot be told (none: nobody's)."""
        if talk.about is not None:
            for key in (talk.about, talk.about.turned()):
                if (known := self.known.get(key)) is not None:
                    return replace(known, talk=talk)
        found = self._owner(talk, talk.about or talk.key)
        if isinstance(found, Socket):
            row = self._row(talk, found)
            passed = self._passed_on(row) if not row.act and self.story.host(talk.key.dst) in self.story.hostile else {}
            if len(passed) > 1:
                return [cause.line for cause in passed.values() if cause.line]
            return next((_caused(row, cause) for cause in passed.values()), row)
        if not found and _is_kernels(talk):
            return self._kernel(talk)
        return found

    def keep(self, row: Labelled) -> None:
        """Remember whose a 5-tuple is from here on."""
        key = row.talk.key
        if row.talk.about is None:
            self.known.pop(key.turned(), None)
            self.known[key] = row
            if row.label != "benign":
                self.attacks[key.protocol, key.dst, key.dport][row.act] = row

    def _passed_on(self, row: Labelled) -> dict[int, Labelled]:
        """Return the attacks, by act, that talk to a server when it begins a conversation of the same kind."""
        key, start_ns = row.talk.key, row.talk.start_ns
        return {
            act: attack
            for own in self.story.addresses.get(row.host, ())
            for act, attack in self.attacks.get((key.protocol, own, key.dport), {}).items()
            if attack.talk.start_ns <= start_ns <= attack.talk.end_ns + LINGER_NS
        }

    def _owner(self, talk: Conversation, key: Tuple5) -> Socket | list[Socket]:
        ahead = self.book.sent(key, talk.start_ns)
        lines = ahead or self.book.sent(key.turned(), talk.start_ns)
        if not lines:
            return self._client(talk, key) or []
        owner = lines[0]
        if not self._act(owner):
            return self._client(talk, key) or owner
        earlier = self.known.get(key)
        since = max(earlier.talk.start_ns if earlier else 0, owner.time_ns - CONTESTED_NS)
        rivals = [line for line in lines if line.time_ns > since and self._act(line) not in (0, self._act(owner))]
        return [owner, *rivals] if rivals and key.protocol == "tcp" else owner

    def _client(self, talk: Conversation, key: Tuple5) -> Socket | None:
        """Return the line of an act's program that explains what a server began: it called, or it sent too."""
        if key.protocol == "tcp":
            return self.book.called(key, talk.start_ns)
        back = self.book.sent(key.turned(), talk.start_ns)
        line = back[0] if back else self.book.sent_until(key.turned(), talk.start_ns, talk.end_ns)
        return line if line and self._act(line) else None

    def _act(self, line: Socket) -> int:
        return self.story.runs[line.run].act

    def _row(self, talk: Conversation, line: Socket) -> Labelled:
        run = self.story.runs[line.run]
        if run.act:
            act = self.story.acts[run.act]
            return Labelled(talk, act.label, act.kind, run.tool, run.act, run.run, run.host, line)
        return Labelled(
            talk, "benign", self.story.services.get(run.run, run.tool), run.tool, 0, run.run, run.host, line
        )

    def _kernel(self, talk: Conversation) -> Labelled:
        return Labelled(talk, "benign", KERNEL, KERNEL, 0, 0, self.story.host(talk.key.src))


@dataclass(frozen=True, slots=True)
class Labels:
    """The labelled conversations in order of their first packets, and whose each packet is.

    `owners` is int32[packets of the capture]: a place in `rows`, -1 for frames that are not IP.
    """

    rows: Sequence[Labelled]
    owners: NDArray[np.int32]

    def __iter__(self) -> Iterator[Labelled]:
        """Return an iterator over the rows."""
        return iter(self.rows)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)


def label(capture: Capture, lines: Iterable[Socket], story: Story) -> Labels:
    """Return the conversations of a capture with their labels.

    Raises NettrusionError that names the first conversations which no run, or more than one, can
    have made, with the candidates, and says how many there are.
    """
    book = Book(lines, story)
    talks, owners = packets.sort(capture, book.cuts())
    court, rows, doubts = _Court(book, story), [], []
    for talk in talks:
        found = court.decide(talk)
        if isinstance(found, list):
            doubts.append((talk, found))
        else:
            court.keep(found)
            rows.append(found)
    if doubts:
        named = "; ".join(_doubt(talk, found, story) for talk, found in doubts[:MOST_NAMED])
        more = f"; and {len(doubts) - MOST_NAMED} more" if len(doubts) > MOST_NAMED else ""
        raise NettrusionError(
            f"{len(doubts)} of {len(talks)} conversations do not belong to exactly one program run: {named}{more}."
        )
    return Labels(rows, owners)


def _doubt(talk: Conversation, found: Sequence[Socket], story: Story) -> str:
    key = talk.key
    which = ", ".join(f"run {line.run} ({story.runs[line.run].tool})" for line in found) or "none"
    complaint = f" about {talk.about}" if talk.about else ""
    ends = f"{key.protocol} {key.src} {key.sport} > {key.dst} {key.dport}{complaint}"
    return f"{ends}, {sum(talk.packets)} packets from {seconds(talk.start_ns)}: {which}"


def follow(capture: Path, log: Path, story: Story) -> Labels:
    """Return the labels as they follow from a finished recording's files: capture, socket log, story."""
    return label(packets.load(capture), sockets.read(log), story)


def seconds(time_ns: int) -> str:
    """Return a time in seconds with six digits, what is less cut off."""
    return f"{time_ns // 10**9}.{time_ns % 10**9 // 1000:06d}"


def text(rows: Iterable[Labelled]) -> str:
    """Return the labels as CSV; ICMP has ports 0, times are in seconds as in the capture."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    for row in rows:
        key, talk = row.talk.key, row.talk
        ports = (0, 0) if key.protocol.startswith("icmp") else (key.sport, key.dport)
        who = (key.src, ports[0], key.dst, ports[1], key.protocol)
        times = (seconds(talk.start_ns), seconds(talk.end_ns))
        owner = (row.label, row.activity, row.tool, row.act, row.run, row.host)
        sheet.writerow((*who, *times, sum(talk.packets), *owner))
    return out.getvalue()


def write(path: Path, rows: Iterable[Labelled]) -> None:
    """Write the labels to a file."""
    path.write_text(text(rows), encoding="ascii")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a labels file; times in nanoseconds."""

    key: Tuple5
    start_ns: int
    end_ns: int
    packets: int
    label: str
    activity: str
    tool: str
    act: int
    run: int
    host: str


def read(path: Path) -> list[Row]:
    """Return a labels file's rows. Raises NettrusionError for a file of other columns, or with a bad line."""
    lines = csv.reader(path.read_text(encoding="ascii").splitlines())
    if next(lines, None) != list(COLUMNS):
        raise NettrusionError(f"{path} is no labels file: its first line must be {','.join(COLUMNS)}.")
    try:
        return [_row(*line) for line in lines]
    except (TypeError, ValueError) as problem:
        raise NettrusionError(f"{path}: line {lines.line_num} is not as its first line says: {problem}") from problem


def _row(src: str, sport: str, dst: str, dport: str, proto: str, start: str, end: str, count: str, *owner: str) -> Row:
    label_, activity, tool, act, run, host = owner
    time: Callable[[str], int] = lambda text: int(text.replace(".", "")) * 1000  # noqa: E731
    key = Tuple5(proto, src, int(sport), dst, int(dport))
    return Row(key, time(start), time(end), int(count), label_, activity, tool, int(act), int(run), host)
