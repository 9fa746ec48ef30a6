"""Who opened which socket: the witness that every program of a recording carries with it.

`socklog.c` is compiled into a library that each program loads before all others. Whenever the
program opens a TCP connection, sends to somebody new over UDP or ICMP, or puts a packet of its own
making on the wire, the library appends a line to the socket log: when, which run, from where, to
where. So labels follow from the sockets themselves, never from a guess.

A program must be linked against the C library dynamically; one that makes its system calls by
itself is not seen, and its conversations then fail the labelling.
"""

import csv
import gzip
import io
import os
import shutil
import subprocess
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from sensor.errors import NettrusionError
from training.testbed.nat import Translation
from training.testbed.packets import PROTOCOLS, Tuple5

SOURCE = Path(__file__).with_name("socklog.c")
COLUMNS = ("time_ns", "run", "pid", "kind", "protocol", "local", "lport", "remote", "rport")
Kind = Literal["connect", "intent", "datagram", "raw", "listen", "nat"]
WILDCARDS = {"0.0.0.0", "::"}
# The tracking of connections sees a packet about when the program's call returns.
TRANSLATED_WITHIN_NS = 150_000_000_000


@dataclass(frozen=True, slots=True)
class Socket:
    """One line of the socket log: a run used these two ends of this protocol from this time on.

    `connect` is a TCP connection, `intent` one in whose call the program was killed (local port 0,
    for it is not known), `datagram` UDP or a ping's ICMP socket, `raw` a packet of the
    program's own making, `listen` a TCP port that others may call (remote side empty and 0), `nat`
    one of these as the gateway translated it. A ping's identifier stands in both ports. A local
    address that is not known is `0.0.0.0` or `::`. `time_ns` is CLOCK_REALTIME before the call.
    """

    time_ns: int
    run: int
    pid: int
    kind: Kind
    key: Tuple5


def build(folder: Path) -> Path:
    """Compile the shim into a folder and return the library's path.

    Raises NettrusionError when there is no C compiler or when it fails.
    """
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NettrusionError(
            "The testbed compiles its socket log and finds no C compiler: apt-get install gcc libc6-dev."
        )
    library = folder / "socklog.so"
    words = [compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", str(library), str(SOURCE)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise NettrusionError(f"{SOURCE.name} does not compile here: {done.stderr.strip()}")
    library.chmod(0o755)
    return library


def environment(shim: Path, log: Path, run: int) -> dict[str, str]:
    """Return what a run finds in its environment; the log is made if it is not there.

    Whoever the program runs as may append to the log, so its folder must be open to all.
    """
    if not log.exists():
        log.touch()
        log.chmod(0o666)
    return {"LD_PRELOAD": str(shim), "TESTBED_SOCKETS": str(log), "TESTBED_RUN": str(run)}


def read(path: Path) -> list[Socket]:
    """Return a socket log's lines in order of time; the log is the shim's own or a NAME.sockets.csv.gz.

    An intent that became a connection is left out.
    Raises NettrusionError with the first line that is none.
    """
    text = gzip.decompress(path.read_bytes()).decode("ascii") if path.suffix == ".gz" else path.read_text("ascii")
    rows = list(csv.reader(io.StringIO(text)))
    if rows and rows[0] == list(COLUMNS):
        rows = rows[1:]
    lines = [_line(path, row) for row in rows]
    begun = {(line.time_ns, line.pid) for line in lines if line.kind == "connect"}
    kept = (line for line in lines if line.kind != "intent" or (line.time_ns, line.pid) not in begun)
    return sorted(kept, key=lambda line: line.time_ns)


def _line(path: Path, row: list[str]) -> Socket:
    try:
        time_ns, run, pid, kind, protocol, local, lport, remote, rport = row
        key = Tuple5(protocol, local, int(lport), remote, int(rport))
        if kind not in get_args(Kind):
            raise ValueError(kind)
        return Socket(int(time_ns), int(run), int(pid), cast(Kind, kind), key)
    except ValueError as problem:
        raise NettrusionError(f"{path} has a line that no socket log has: {','.join(row)!r}") from problem


def write(path: Path, lines: Iterable[Socket]) -> None:
    """Write lines in order of time as gzipped CSV; the same lines give the same bytes."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    for line in sorted(lines, key=lambda line: (line.time_ns, line.run, line.key)):
        key = line.key
        ends = (key.protocol, key.src, key.sport, key.dst, key.dport)
        sheet.writerow((line.time_ns, line.run, line.pid, line.kind, *ends))
    path.write_bytes(gzip.compress(out.getvalue().encode("ascii"), 9, mtime=0))


def translated(
    lines: Iterable[Socket], translations: Iterable[Translation], addresses: Mapping[int, frozenset[str]]
) -> list[Socket]:
    """Return the lines and, for each translation, its line once more as it looks behind the gateway.

    `addresses` are those of each run's host, for lines that do not know their local one. A
    translation of what no program sent is passed over; so its conversation has no owner.
    """
    lines = list(lines)
    known: dict[Tuple5, list[Socket]] = defaultdict(list)
    for line in lines:
        local = addresses.get(line.run, ()) if line.key.src in WILDCARDS else (line.key.src,)
        for address in local:
            known[replace(line.key, src=address)].append(line)
    more = []
    for row in translations:
        protocol = PROTOCOLS.get(row.proto, str(row.proto))
        ports = (row.inside_port, row.outside_port, row.dport)
        inside = Tuple5(protocol, row.inside, ports[0], row.dst, ports[0] if protocol == "icmp" else ports[2])
        found = known.get(inside, [])
        place = bisect_right(found, row.time_ns, key=lambda line: line.time_ns)
        if place and row.time_ns - found[place - 1].time_ns < TRANSLATED_WITHIN_NS:
            line = found[place - 1]
            outside = Tuple5(protocol, row.outside, ports[1], row.dst, ports[1] if protocol == "icmp" else ports[2])
            more.append(replace(line, kind="nat", key=outside))
    return sorted([*lines, *more], key=lambda line: line.time_ns)
