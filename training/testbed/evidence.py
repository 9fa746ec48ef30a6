"""Second witnesses: the servers' own logs and tshark say again who talked to whom, and when."""

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.labels import Labelled, seconds

# Logs that say from which address and port somebody came: program, what its lines look like.
LINES = {
    "nginx": re.compile(r'^[\d.]+ (?P<src>[\d.:a-f]+) (?P<sport>\d+) (?P<dport>\d+) \d+ "(?P<agent>[^"]*)"'),
    "sshd": re.compile(r"(?:Accepted|Failed) \S+ for .* from (?P<src>\S+) port (?P<sport>\d+)"),
    "postgres": re.compile(r"connection received: host=(?P<src>\S+) port=(?P<sport>\d+)"),
    "postfix": re.compile(r"smtpd\[\d+\]: connect from [^\[]+\[(?P<src>[\d.:a-f]+)\]:(?P<sport>\d+)"),
    "dovecot": re.compile(r"imap-login: .*user=<[^>]*>,? (?P<src>[\d.:a-f]+):(?P<sport>\d+)[, ]"),
}
# What programs call themselves before a web server, unless they pretend to be another.
AGENTS = {
    "curl/": "curl",
    "(Hydra)": "hydra",
    "Nikto": "nikto",
    "sqlmap/": "sqlmap",
    "Wget/": "wget",
    "JoeDog": "siege",
    "HeadlessChrome": "chromium",
    "git/": "git",
    "Nmap Scripting": "nmap",
}
FIELDS = (
    *("frame.time_epoch", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "udp.srcport"),
    *("tcp.dstport", "udp.dstport", "tcp.stream", "udp.stream", "ip.id", "ipv6.fraghdr.ident"),
)
# The streams are wanted, not what is in them; and a fragment counts as the packet that it is.
SETTINGS = ("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE")
ASKED = "(tcp || udp || ip.frag_offset > 0 || ipv6.fraghdr.offset > 0) && !icmp && !icmpv6"

End = tuple[str, int]
Pair = tuple[str, End, End]
"""A protocol and two ends, the smaller first: a 5-tuple without a direction."""


def servers(
    rows: Iterable[Labelled], logs: Mapping[str, Sequence[Path]], own: Mapping[Path, Collection[str]] | None = None
) -> dict[str, int]:
    """Return how many lines of the servers' logs agree with the labels, by kind of server and label.

    `own` are the addresses of each log's host: what a host says to itself passes no wire.

    Each line that tells an address and a port must be of a labelled conversation from there, and
    who calls itself by the name of a known program before a web server must not be labelled as
    another one. Raises NettrusionError with the first line that disagrees.
    """
    known: dict[End, list[Labelled]] = defaultdict(list)
    for row in rows:
        if row.talk.key.protocol == "tcp":
            known[row.talk.key.src, row.talk.key.sport].append(row)
    agreed: dict[str, int] = defaultdict(int)
    for path in sorted({path for paths in logs.values() for path in paths}):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            for program, pattern in LINES.items():
                if found := pattern.search(line):
                    inside = (own or {}).get(path, ())
                    if confirmed := _confirmed(path, line, found.groupdict(), known, inside):
                        agreed[f"{program} {confirmed.label}"] += 1
                    break
    return dict(sorted(agreed.items()))


def _confirmed(
    path: Path,
    line: str,
    said: Mapping[str, str],
    known: Mapping[End, Sequence[Labelled]],
    inside: Collection[str],
) -> Labelled | None:
    """Return a row that a line agrees with, None for one about a talk inside one host."""
    src = said["src"].removeprefix("::ffff:")
    if src.startswith("127.") or src == "::1" or src in inside:
        return None
    port = said.get("dport")
    rows = [row for row in known.get((src, int(said["sport"])), ()) if port in (None, str(row.talk.key.dport))]
    agent = said.get("agent") or ""
    named = next((tool for mark, tool in AGENTS.items() if mark in agent), None)
    for row in rows:
        if named is None or row.tool == named or row.tool not in AGENTS.values():
            return row
    owners = ", ".join(f"{row.tool} ({row.label}, run {row.run})" for row in rows) or "nobody"
    raise NettrusionError(f"The labels contradict {path}: {line}: labelled as {owners}.")


@dataclass(slots=True)
class Stream:
    """One stream as tshark tells it: who sent first, first and last packet's time (us), packets."""

    source: End
    start_us: int
    end_us: int
    packets: int


def tshark(capture: Path, rows: Iterable[Labelled]) -> dict[str, int]:
    """Return how many TCP and UDP streams, and packets, tshark and the labels agree on.

    TCP streams must be the labels' rows: ends, first and last packet's time, packets. UDP streams
    are compared by 5-tuple, since tshark keeps one stream where a port passes from one program to
    the next; so is TCP that was sent in fragments smaller than its header, and TCP of several rows
    that began without a new SYN. Raises NettrusionError
    with the first 5-tuple that disagrees, or when tshark is missing or fails.
    """
    theirs, loose = _streams(capture)
    ours: dict[Pair, list[Stream]] = defaultdict(list)
    for row in rows:
        key, talk = row.talk.key, row.talk
        if key.protocol in ("tcp", "udp") and talk.about is None:
            span = (talk.start_ns // 1000, talk.end_ns // 1000)
            pair = _pair(key.protocol, (key.src, key.sport), (key.dst, key.dport))
            ours[pair].append(Stream((key.src, key.sport), *span, sum(talk.packets)))
    for pair in sorted(ours.keys() | theirs.keys() | loose.keys()):
        one, other = ours.get(pair, []), theirs.get(pair, [])
        if not _agree(pair, one, other, loose.get(pair, 0)):
            raise NettrusionError(
                f"The labels contradict tshark about {_told(pair)}: they have {_list(one)}; tshark has {_list(other)}"
                f" and {loose.get(pair, 0)} packets without a stream."
            )
    return {
        "tshark tcp streams": sum(len(streams) for pair, streams in theirs.items() if pair[0] == "tcp"),
        "tshark udp streams": sum(len(streams) for pair, streams in theirs.items() if pair[0] == "udp"),
        "tshark packets": sum(stream.packets for streams in theirs.values() for stream in streams)
        + sum(loose.values()),
    }


def _agree(pair: Pair, ours: Sequence[Stream], theirs: Sequence[Stream], loose: int) -> bool:
    if pair[0] == "tcp" and not loose:
        spans = [
            sorted((stream.start_us, stream.end_us, stream.packets) for stream in streams) for streams in (ours, theirs)
        ]
        if spans[0] == spans[1] or len(ours) <= len(theirs):
            return spans[0] == spans[1]
        # Packets without a SYN, or with one seen before, from a port that another run had: one stream for tshark.
    if not ours or sum(stream.packets for stream in ours) != sum(stream.packets for stream in theirs) + loose:
        return False
    if loose or not theirs:
        return bool(loose)
    first = min(ours, key=lambda stream: stream.start_us)
    same_end = max(stream.end_us for stream in ours) == max(stream.end_us for stream in theirs)
    return (first.source, first.start_us) == (theirs[0].source, theirs[0].start_us) and same_end


def _pair(protocol: str, one: End, other: End) -> Pair:
    return (protocol, one, other) if one <= other else (protocol, other, one)


def _streams(capture: Path) -> tuple[dict[Pair, list[Stream]], dict[Pair, int]]:
    """Return tshark's streams by 5-tuple, and how many packets of one have no stream (fragments)."""
    streams: dict[tuple[str, str], tuple[Pair, Stream]] = {}
    loose: dict[Pair, int] = defaultdict(int)
    whole: dict[tuple[str, ...], tuple[Pair, str]] = {}
    for time, v4s, v6s, v4d, v6d, tsport, usport, tdport, udport, tcp, udp, v4id, v6id in _tshark(capture):
        src, dst = v4s or v6s, v4d or v6d
        fragment = (src, dst, v4id or v6id)
        protocol = "tcp" if tsport else "udp"
        if tsport or usport:
            source = (src, int(tsport or usport))
            pair = _pair(protocol, source, (dst, int(tdport or udport)))
            # A dissector may tie packets of other ports to its own stream; a UDP stream is its 5-tuple.
            number = tcp or (udp and str(pair))
            whole[fragment] = (pair, number)
        elif fragment in whole:
            pair, number = whole[fragment]
            protocol, source = pair[0], pair[1]
        else:
            continue
        if not number:
            loose[pair] += 1
            continue
        whole_us = int(time.partition(".")[0]) * 1_000_000 + int(time.partition(".")[2][:6].ljust(6, "0"))
        stream = streams.setdefault((protocol, number), (pair, Stream(source, whole_us, whole_us, 0)))[1]
        stream.packets += 1
        stream.end_us = max(stream.end_us, whole_us)
    by_pair: dict[Pair, list[Stream]] = defaultdict(list)
    for pair, stream in streams.values():
        by_pair[pair].append(stream)
    return by_pair, loose


def _tshark(capture: Path) -> Iterator[list[str]]:
    if shutil.which("tshark") is None:
        raise NettrusionError("tshark, the second witness of the labels, is missing: apt-get install tshark.")
    words = ["tshark", "-n", "-r", str(capture), "-Y", ASKED, "-T", "fields", "-E", "occurrence=f"]
    words += [word for setting in SETTINGS for word in ("-o", setting)]
    words += [word for field in FIELDS for word in ("-e", field)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stderr is not None
        for line in program.stdout:
            yield line.rstrip("\n").split("\t")
        said = program.stderr.read()
    if program.returncode:
        raise NettrusionError(f"tshark cannot read {capture}: {said.strip()}")


def _told(pair: Pair) -> str:
    (one, sport), (other, dport) = pair[1], pair[2]
    return f"{pair[0]} {one} {sport} and {other} {dport}"


def _list(streams: Sequence[Stream]) -> str:
    told = [
        f"{stream.packets} packets from {seconds(stream.start_us * 1000)} to {seconds(stream.end_us * 1000)}"
        for stream in sorted(streams, key=lambda stream: stream.start_us)[:5]
    ]
    return (", ".join(told) or "nothing") + (f" and {len(streams) - 5} more" if len(streams) > 5 else "")
