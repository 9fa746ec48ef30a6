"""Records of ISCXIDS2012 as arrays: who, when, how much, tagged what; oddities are counted."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.features.iscx import SECOND_NS, XML_PROTOCOLS
from training.datasets import iscx2012_csv, iscx2012_xml
from training.datasets.conversations import packed
from training.datasets.iscx2012_days import LABELS, day_of, label_of
from training.datasets.iscx2012_xml import Record

BATCH = 8192
HEAD_BYTES = 8192
RECORD = np.dtype(
    [
        ("src", "u1", 16), ("dst", "u1", 16), ("src_port", "u2"), ("dst_port", "u2"), ("proto", "u1"),
        ("ip_version", "u1"), ("start_ns", "i8"), ("end_ns", "i8"), ("fwd_pkts", "i8"), ("bwd_pkts", "i8"),
        ("fwd_bytes", "i8"), ("bwd_bytes", "i8"), ("label", "u1"), ("day", "u1"),
    ]
)  # fmt: skip
"""One flow record: names and layout as in FLOW_DTYPE where both have them; `label` is an index into LABELS.

Times are the clock of the wall, as ns since 1970 as if it were UTC; ip_version is 0 where an address is
`0.0.0.0` (IPv6 in the original) or none. Bytes are Ethernet frames with their checksum.
"""

TEXTS = (
    "sourceTCPFlagsDescription", "destinationTCPFlagsDescription", "protocolName", "startDateTime", "stopDateTime",
)  # fmt: skip
NUMBERS = ("totalSourcePackets", "totalDestinationPackets", "totalSourceBytes", "totalDestinationBytes")
PROTOCOLS = XML_PROTOCOLS | {"igmp": 2}

NO_TAG = "records: the Tag is neither Normal nor Attack"
NO_START = "records: no start time"
NO_STOP = "records without a stop time, taken as one moment"
BACKWARDS = "records that stop before they start, taken as one moment"
NO_ADDRESS = "records with 0.0.0.0 or no address where an IPv6 address was"
NO_FLAGS = "TCP records with N/A or no flags"
ONE_WAY = "records with packets in one direction alone"
MISSING = "records without {}"
BOTH_TAGS = "5-tuples that occur as Normal and as Attack"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records: `rows` (n,) RECORD, `columns` the XML's elements, (n,) each, for a feature set."""

    rows: npt.NDArray[np.void]
    columns: dict[str, Any]


@dataclass(slots=True)
class Notes:
    """What is odd: `dropped` counts records that stay out, `odd` those that stay in."""

    dropped: Counter[str]
    odd: Counter[str]

    @classmethod
    def empty(cls) -> "Notes":
        """Return notes of nothing."""
        return cls(Counter(), Counter())


def reader(path: Path) -> Callable[[Path, Counter[str]], Iterator[Record]] | None:
    """Return what reads a file of ISCXIDS2012's flows, judging by its head; None if it is no such file."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if iscx2012_xml.is_xml(head):
        return iscx2012_xml.read
    return iscx2012_csv.read if iscx2012_csv.is_csv(head) else None


def read(path: Path, notes: Notes, batch: int = BATCH) -> Iterator[Batch]:
    """Yield the records of an XML or CSV file in batches; oddities are counted.

    Raises NettrusionError: the file is none of ISCXIDS2012, is damaged, or cannot be read.
    """
    try:
        read_records = reader(path)
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
    if read_records is None:
        raise NettrusionError(f"{path}: no flow file of ISCXIDS2012; it begins with <dataroot>, or is their CSV")
    waiting: list[Record] = []
    for record in read_records(path, notes.odd):
        waiting.append(record)
        if len(waiting) == batch:
            yield _batch(waiting, notes)
            waiting = []
    yield _batch(waiting, notes)


def both_tags(rows: npt.NDArray[np.void]) -> int:
    """Return how many 5-tuples, one way round, have records of both tags; those without address are left out."""
    rows = rows[rows["ip_version"] > 0]
    names = ("src", "src_port", "dst", "dst_port", "proto")
    parts = [np.ascontiguousarray(rows[name]).view(np.uint8).reshape(len(rows), -1) for name in names]
    keys = np.concatenate(parts, axis=1).view(np.dtype((np.void, sum(part.shape[1] for part in parts)))).ravel()
    normal = rows["label"] == 0
    return len(np.intersect1d(keys[normal], keys[~normal]))


def _batch(records: list[Record], notes: Notes) -> Batch:
    kept: list[tuple[Any, ...]] = []
    columns: dict[str, list[Any]] = {name: [] for name in (*TEXTS, *NUMBERS)}
    for tag, record in records:
        if (row := _row(tag, record, notes)) is None:
            continue
        kept.append(row)
        for name in TEXTS:
            columns[name].append(record.get(name, ""))
        for name in NUMBERS:
            columns[name].append(_number(record, name, notes))
    for name in ("startDateTime", "stopDateTime"):
        columns[name] = [str(_seconds(text)) for text in columns[name]]
    return Batch(np.array(kept, dtype=RECORD), {name: np.array(values) for name, values in columns.items()})


def _row(tag: str, record: dict[str, str], notes: Notes) -> tuple[Any, ...] | None:
    """Return a record as the values of RECORD, None if it cannot be used."""
    day = day_of(tag, record.get("startDateTime", ""))
    label = label_of(record.get("Tag", ""), day)
    start, stop = _seconds(record.get("startDateTime", "")), _seconds(record.get("stopDateTime", ""))
    if label is None or np.isnat(start):
        notes.dropped[NO_TAG if label is None else NO_START] += 1
        return None
    if np.isnat(stop) or stop < start:
        notes.odd[NO_STOP if np.isnat(stop) else BACKWARDS] += 1
        stop = start
    (source, one), (target, other) = (_address(record.get(side, "")) for side in ("source", "destination"))
    version = one if one == other else 0
    notes.odd[NO_ADDRESS] += version == 0
    protocol = PROTOCOLS.get(record.get("protocolName", ""), 0)
    flags = [record.get(f"{side}TCPFlagsDescription", "") for side in ("source", "destination")]
    notes.odd[NO_FLAGS] += protocol == PROTOCOLS["tcp_ip"] and not set(flags) - {"", "N/A"}
    counts = [_whole(record.get(name, "")) for name in NUMBERS]
    notes.odd[ONE_WAY] += (counts[0] == 0) != (counts[1] == 0)
    return (
        source,
        target,
        *(_whole(record.get(f"{side}Port", "")) & 0xFFFF for side in ("source", "destination")),
        protocol,
        version,
        int(start.astype(np.int64)) * SECOND_NS,
        int(stop.astype(np.int64)) * SECOND_NS,
        *counts,
        LABELS.index(label),
        day,
    )


def _number(record: dict[str, str], name: str, notes: Notes) -> float:
    try:
        return float(record.get(name, ""))
    except ValueError:
        notes.odd[MISSING.format(name)] += 1
        return np.nan


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@lru_cache(maxsize=65536)
def _seconds(text: str) -> np.datetime64:
    try:
        return np.datetime64(text, "s") if text else np.datetime64("NaT", "s")
    except ValueError:
        return np.datetime64("NaT", "s")


@lru_cache(maxsize=65536)
def _address(text: str) -> tuple[npt.NDArray[np.uint8], int]:
    """Return an address as (16,) bytes, zeros behind an IPv4 one, and its version; 0 for none and for 0.0.0.0."""
    try:
        address = packed(text)
    except ValueError:
        address = b""
    version = {4: 4, 16: 6}.get(len(address), 0) if any(address) else 0
    return np.frombuffer(address.ljust(16, b"\0"), np.uint8), version
