"""Flow records that other programs wrote, as rows of the engine's own type, with a label for each.

Such a record knows ends, times, packets, bytes and flags of a flow and nothing of its packets: it feeds the
feature set `iscx2012`, which asks for no more, and the rules, which look at ends and times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.flows import FLOW_DTYPE, Reason, State
from training.datasets.captures import BEYOND, pair_keys, thinned, tuple_keys
from training.datasets.manifest import Manifest, SourceFile
from training.datasets.table import FlowTable

if TYPE_CHECKING:
    from sensor.features import FeatureSet

FEEDS = "iscx2012"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
FRAME_BYTES = 14
"""An Ethernet header: between IP bytes, which Zeek counts, and frame bytes, which Suricata does."""
UNLABELLED = "no label, or one that says that nobody knows"
TCP, ICMP = 6, (1, 58)


@dataclass(slots=True)
class Row:
    """One record: the initiator first, times in ns since 1970, bytes of IP packets, flags as a TCP header has them.

    `ends` are addresses in 4 or 16 bytes, `part` numbers the records of one flow.
    """

    flow_id: int
    start_ns: int
    end_ns: int
    ends: tuple[bytes, bytes]
    ports: tuple[int, int]
    proto: int
    pkts: tuple[int, int]
    ip_bytes: tuple[int, int]
    flags: tuple[int, int] = (0, 0)
    icmp: tuple[int, int] = (-1, -1)
    state: State = State.ESTABLISHED
    part: int = 0


@dataclass(frozen=True, slots=True)
class LabelledFlows:
    """Records with labels.

    Attributes:
        flows: (n,) FLOW_DTYPE, in the order of their ends within a file; only what a `Row` has is filled in.
        label: (n,) str, a label of `labels.RULES`, empty for none.
        file: (n,) int64, index into `files`.
        files: what was read.
        score: (n,) float64, the score that a detector gave and recorded, NaN for none; empty where nobody does.
        about: sentences for the manifest.
        dropped: records left out, by reason.
        mended: values put right, by reason.
    """

    flows: npt.NDArray[np.void]
    label: npt.NDArray[np.str_]
    file: npt.NDArray[np.int64]
    files: Sequence[SourceFile]
    score: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    about: Sequence[str] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)

    def table(
        self, name: str, feature_set: "FeatureSet", variant: str, row_limit: int, manifest: Manifest
    ) -> FlowTable:
        """Return the labelled rows as a table, every file an episode; what is dropped goes to the manifest.

        Raises NettrusionError when there is no labelled row, or the records cannot feed the feature set.
        """
        check(name, feature_set)
        known = self.label != ""
        if not known.any():
            raise NettrusionError(f"{name}: {', '.join(one.name for one in self.files)}: no record has a label")
        kept, weight = thinned(self.label, known, row_limit)
        manifest.files.extend(self.files)
        manifest.about.extend(self.about)
        for reason, count in self.dropped.items():
            manifest.drop(reason, count)
        for reason, count in self.mended.items():
            manifest.mend(reason, count)
        manifest.drop(f"records: {UNLABELLED}", int((~known).sum()))
        manifest.drop(f"records: {BEYOND}", int(known.sum()) - len(kept))
        labels = tuple(sorted(set(self.label[kept].tolist())))
        for one in labels:
            own = self.label[kept] == one
            manifest.kept[one] = manifest.kept.get(one, 0) + int(own.sum())
            manifest.totals[one] = manifest.totals.get(one, 0) + round(weight[own].sum())
        flows = self.flows[kept]
        return FlowTable(
            features=feature_set.extract(flows, variant),
            label=np.searchsorted(np.array(labels), self.label[kept]).astype(np.int16),
            time_ns=flows["start_ns"].astype(np.int64),
            tuple_key=tuple_keys(flows, name),
            pair_key=pair_keys(flows),
            weight=weight,
            labels=labels,
            feature_names=feature_set.names,
            episode=self.file[kept],
            source=np.zeros(len(kept), dtype=np.int64),
            sources=(name,),
        )


def check(name: str, feature_set: "FeatureSet") -> None:
    """Raise NettrusionError unless such records can feed a feature set."""
    if feature_set.name != FEEDS:
        raise NettrusionError(
            f"{name}: flow records feed the feature set {FEEDS} alone, not {feature_set.name};"
            " that one needs the packets: label the captures instead"
        )


def assemble(rows: Sequence[Row]) -> npt.NDArray[np.void]:
    """Return records as FLOW_DTYPE, shape (n,), in their order; what a record does not know is zero."""
    flows = np.zeros(len(rows), dtype=FLOW_DTYPE)
    for name in ("flow_id", "start_ns", "end_ns", "proto", "state", "part"):
        flows[name] = [getattr(row, name) for row in rows]
    for side, place in (("src", 0), ("dst", 1)):
        packed = [row.ends[place] for row in rows]
        flows[side] = np.frombuffer(b"".join(one.ljust(16, b"\0") for one in packed), np.uint8).reshape(-1, 16)
        flows["ip_version"] = [4 if len(one) == 4 else 6 for one in packed]
        flows[f"{side}_port"] = [row.ports[place] for row in rows]
    for side, place in (("fwd", 0), ("bwd", 1)):
        pkts = np.array([row.pkts[place] for row in rows], dtype=np.uint64)
        size = np.array([row.ip_bytes[place] for row in rows], dtype=np.uint64)
        flows[side]["pkts"], flows[side]["ip_bytes"] = pkts, size
        flows[side]["bytes"] = size + np.uint64(FRAME_BYTES) * pkts
        flows[f"{side}_flags"] = [row.flags[place] for row in rows]
    flows["icmp_type"] = [row.icmp[0] for row in rows]
    flows["icmp_code"] = [row.icmp[1] for row in rows]
    closed = (flows["proto"] == TCP) & (flows["state"] == State.CLOSED)
    reset = ((flows["fwd_flags"] | flows["bwd_flags"]) & RST) > 0
    flows["reason"] = np.where(closed, np.where(reset, Reason.RST, Reason.FIN), Reason.IDLE)
    return flows


def joined(parts: Sequence[LabelledFlows]) -> LabelledFlows:
    """Return the records of several files put one behind the other; at least one."""
    dropped: dict[str, int] = {}
    mended: dict[str, int] = {}
    for part in parts:
        for mine, theirs in ((dropped, part.dropped), (mended, part.mended)):
            for reason, count in theirs.items():
                mine[reason] = mine.get(reason, 0) + count
    starts = np.cumsum([0, *(len(part.files) for part in parts)])
    return LabelledFlows(
        np.concatenate([part.flows for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.concatenate([part.file + start for part, start in zip(parts, starts, strict=False)]),
        [one for part in parts for one in part.files],
        np.concatenate([part.score for part in parts]),
        list(dict.fromkeys(sentence for part in parts for sentence in part.about)),
        dropped,
        mended,
    )
