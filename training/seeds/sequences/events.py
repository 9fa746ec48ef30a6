"""Flows as events between two hosts: who, when, which ports, how much; from records, recordings or both."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.features.iscx import SECOND_NS, XML_LINK_BYTES
from training.datasets import iscx2012, iscx2012_rows, recordings
from training.datasets.iscx2012_days import LABELS
from training.datasets.iscx2012_rows import Notes
from training.datasets.labels import normalise, rule_for

HOUR_NS = 3600 * SECOND_NS
BENIGN = "benign"
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Events:
    """Flows of some networks, by start.

    Attributes:
        start_ns: (n,) int64, since 1970; a wall clock's where the data has no other.
        source: (n,) int64, a number per host, of the side that a record names first.
        target: (n,) int64, likewise of the other side.
        low_port: (n,) int64, the lower of the two ports; 0 where a protocol has none.
        protocol: (n,) int64, IP's number.
        sent: (n,) int64, IP bytes of the source.
        received: (n,) int64, IP bytes of the target.
        family: (n,) the attack family, `benign` for none.
    """

    start_ns: Ints
    source: Ints
    target: Ints
    low_port: Ints
    protocol: Ints
    sent: Ints
    received: Ints
    family: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def benign(self) -> npt.NDArray[np.bool_]:
        """(n,) true where the flow is no attack."""
        return np.asarray(self.family == BENIGN)

    @property
    def hour(self) -> Ints:
        """(n,) whole hours since 1970."""
        return self.start_ns // HOUR_NS

    @property
    def pair(self) -> Ints:
        """(n,) a number per ordered pair of hosts."""
        return self.source << 32 | self.target

    def rows(self, index: npt.NDArray[np.bool_] | Ints) -> Self:
        """Return the events that a mask or an index selects, in its order."""
        return replace(self, **{part.name: getattr(self, part.name)[index] for part in fields(self)})


def read(places: Sequence[Path]) -> tuple[Events, list[str]]:
    """Read flow files of ISCXIDS2012 and recordings; returns their events, and a sentence on each source.

    Records without addresses (IPv6 in ISCXIDS2012) belong to no pair of hosts and are left out.

    Raises NettrusionError: a place has neither, or a file is damaged.
    """
    parts, said = [], []
    for place in places:
        found = iscx2012.find(place)
        for path in found:
            notes = Notes.empty()
            rows = np.concatenate([batch.rows for batch in iscx2012_rows.read(path, notes)])
            addressed = rows["ip_version"] > 0
            parts.append(_of_records(rows[addressed]))
            said.append(f"{path.name}: {addressed.sum()} records, {(~addressed).sum()} without addresses left out")
        if recordings.find(place):
            for recording in recordings.read([place]):
                parts.append(_of_flows(recording.flows, recording.column("label")))
                said.append(f"{recording.name}: {len(recording.flows)} flows of a recording")
        elif not found:
            raise NettrusionError(f"{place}: neither flow files of ISCXIDS2012 (XML, CSV) nor a recording")
    return _numbered(parts), said


_Part = tuple[npt.NDArray[np.void], npt.NDArray[np.str_], Ints, Ints]
"""Rows with 5-tuple and start, their families, and bytes of IP both ways."""


def _of_records(rows: npt.NDArray[np.void]) -> _Part:
    names = np.array([_family(label) for label in LABELS])[rows["label"]]
    sizes = [np.maximum(rows[f"{side}_bytes"] - XML_LINK_BYTES * rows[f"{side}_pkts"], 0) for side in ("fwd", "bwd")]
    return rows, names, sizes[0], sizes[1]


def _of_flows(flows: npt.NDArray[np.void], labels: npt.NDArray[np.str_]) -> _Part:
    known = {label: _family(label) for label in np.unique(labels).tolist()}
    names = np.array([known[label] for label in labels.tolist()], dtype=np.str_)
    return flows, names, flows["fwd"]["ip_bytes"].astype(np.int64), flows["bwd"]["ip_bytes"].astype(np.int64)


def _family(label: str) -> str:
    rule = rule_for(label)
    return rule.family if rule else normalise(label)


def _numbered(parts: Sequence[_Part]) -> Events:
    """Join the parts and give every address a number."""
    ends = [np.concatenate([np.ascontiguousarray(rows[side]) for rows, *_ in parts]) for side in ("src", "dst")]
    both = np.concatenate(ends).view(np.uint64).reshape(-1, 2)
    _, number = np.unique(both, axis=0, return_inverse=True)
    source, target = np.split(number.reshape(-1).astype(np.int64), 2)
    events = Events(
        start_ns=np.concatenate([rows["start_ns"].astype(np.int64) for rows, *_ in parts]),
        source=source,
        target=target,
        low_port=np.concatenate([np.minimum(r["src_port"], r["dst_port"]).astype(np.int64) for r, *_ in parts]),
        protocol=np.concatenate([rows["proto"].astype(np.int64) for rows, *_ in parts]),
        sent=np.concatenate([sent for _, _, sent, _ in parts]),
        received=np.concatenate([received for *_, received in parts]),
        family=np.concatenate([names for _, names, *_ in parts]),
    )
    return events.rows(np.argsort(events.start_ns, kind="stable"))
