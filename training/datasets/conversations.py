"""The labels file of a recording: who talked to whom, when, and why.

One row a conversation: `src,sport,dst,dport,proto,start,end,packets,label,activity,tool,act,run,host`, times in
seconds with six digits, the initiator first, ICMP with ports 0. Columns after the label may be missing.
"""

import csv
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.testbed.packets import PROTOCOLS

NEEDED = frozenset({"src", "sport", "dst", "dport", "proto", "start", "end", "label"})
NUMBERS = {name: number for number, name in PROTOCOLS.items()}
_RESOLUTION_NS = 1_000
"""Labels have times in whole microseconds, as the captures."""

End = tuple[bytes, int]
Key = tuple[int, End, End]
"""Protocol, and both ends as packed address and port, the smaller first."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row of a labels file. `act` and `run` are 0 where the file does not have them."""

    start_ns: int
    end_ns: int
    label: str
    activity: str
    tool: str
    act: int
    run: int
    host: str

    def overlap(self, start_ns: int, end_ns: int) -> int:
        """Return how long it and a flow share the wire; negative when they do not meet."""
        return min(self.end_ns, end_ns) - max(self.start_ns, start_ns) + _RESOLUTION_NS


def read(path: Path) -> tuple[dict[Key, list[int]], list[Conversation]]:
    """Return the numbers of the rows with each 5-tuple, and the rows.

    Raises NettrusionError that names the file, and what in it cannot be read.
    """
    keys: dict[Key, list[int]] = {}
    rows: list[Conversation] = []
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if missing := NEEDED - set(reader.fieldnames or ()):
                raise NettrusionError(f"{path}: no column {', '.join(sorted(missing))}")
            for row in reader:
                keys.setdefault(_key(row), []).append(len(rows))
                rows.append(_conversation(row))
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}; a recording has its labels beside its capture") from problem
    except ValueError as problem:
        raise NettrusionError(f"{path}: row {len(rows) + 2}: {problem}; record it again") from problem
    return keys, rows


def _key(row: dict[str, str]) -> Key:
    protocol = NUMBERS[row["proto"]] if row["proto"] in NUMBERS else int(row["proto"])
    ends = sorted((packed(row[side]), int(row[f"{side[0]}port"] or 0)) for side in ("src", "dst"))
    return protocol, ends[0], ends[1]


def _conversation(row: dict[str, str]) -> Conversation:
    return Conversation(
        start_ns=nanoseconds(row["start"]),
        end_ns=nanoseconds(row["end"]),
        label=row["label"],
        activity=row.get("activity") or row.get("tool") or "",
        tool=row.get("tool") or "",
        act=int(row.get("act") or 0),
        run=int(row.get("run") or 0),
        host=row.get("host") or "",
    )


@lru_cache(maxsize=65536)
def packed(address: str) -> bytes:
    """Return an address in the bytes of the wire; raises ValueError for what is none."""
    return ipaddress.ip_address(address).packed


def nanoseconds(seconds: str) -> int:
    """Return decimal seconds as nanoseconds, exactly."""
    whole, _, part = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int(f"{part:0<9}"[:9])


def spans(flows: npt.NDArray[np.void]) -> Iterator[tuple[Key, int, int]]:
    """Yield the 5-tuple of every flow, the smaller end first, with its first and last packet's time."""
    names = ("proto", "ip_version", "src_port", "dst_port", "start_ns", "end_ns")
    columns = zip(*(flows[name].tolist() for name in names), strict=True)
    src, dst = flows["src"].tobytes(), flows["dst"].tobytes()
    for place, (protocol, version, sport, dport, start_ns, end_ns) in enumerate(columns):
        first, size = 16 * place, 4 if version == 4 else 16
        ends = sorted([(src[first : first + size], sport), (dst[first : first + size], dport)])
        yield (protocol, ends[0], ends[1]), start_ns, end_ns
