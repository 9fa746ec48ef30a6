"""Labelled flows that any detector can be asked about, whatever its features: what a judgement is made on.

    evidence = of_captures(folder, labels, flow_labels)
    evidence = of_recordings([folder])
    evidence = of_tables("CICIDS2017", {("cic2022", "cns22"): loaded.table})

Captures are kept as flow records, so that one reading of them serves every feature set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.flows import Reason
from training.datasets import recordings
from training.datasets.captures import pair_keys
from training.datasets.conversations import Conversation
from training.datasets.flow_rows import FEEDS, UNLABELLED, LabelledFlows
from training.datasets.labelled_captures import ATTACK, BENIGN, NO_TRUTH, NOT_SAID, UNDECIDED, label, listed, read_truth
from training.datasets.labels import CLASSES, RULES, normalise
from training.datasets.manifest import sha256_of
from training.evaluation.recorded import groups, numbered
from training.evaluation.replay import Replay, replay

if TYPE_CHECKING:
    from sensor.features import FeatureSet
    from training.datasets.table import FlowTable

Numbers = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
BESIDE = "benign beside attack"
PAUSE_NS = 600_000_000_000
"""A silence longer than this is not counted as time that was watched: some captures have clocks that jump."""
_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """Reports on labelled flows; arrays have shape (n,), a row a report, in the order of the engine.

    Attributes:
        name: what the data is, for headings.
        label: what each row is: a class of attack, or a kind of benign traffic.
        family: the family of the label, as in `labels.RULES`.
        truth: int8, ATTACK, BENIGN or UNDECIDED.
        counts: bool, whether the row counts as a flow in figures by flow: not a snapshot, and decided.
        capture: int64, index into `captures`.
        captures: what the rows come from; incidents end with each.
        alike: whether captures are many and count alike, whatever their size.
        beside: bool, benign flows of a capture of an attack: told of apart, never a reference.
        cluster: uint64, what is redrawn as a whole for an interval where captures are few.
        weight: float64, how many flows of the full data set a row stands for.
        flows: (n,) FLOW_DTYPE, None for rows of a table that has none.
        tables: features by name of set and variant, for rows of a table.
        packet: int64, the packet at which a report was made; None where there are no packets.
        time_ns: int64, when a report was made.
        first_ns: int64, the first attack packet of each row.
        packet_ns: the times of the packets of each capture, empty where there are none.
        left_out: rows whose label could not be decided, by reason.
        only: the one feature set that the flow records suffice for; empty: any.
        recorded: float64, the scores that a detector gave at the time; None where nobody kept them.
    """

    name: str
    label: Names
    family: Names
    truth: npt.NDArray[np.int8]
    counts: npt.NDArray[np.bool_]
    capture: Numbers
    captures: tuple[str, ...]
    alike: bool
    beside: npt.NDArray[np.bool_]
    cluster: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float64]
    flows: npt.NDArray[np.void] | None
    tables: Mapping[tuple[str, str], npt.NDArray[np.float32]] = field(default_factory=dict)
    packet: Numbers | None = None
    time_ns: Numbers | None = None
    first_ns: Numbers | None = None
    packet_ns: tuple[Numbers, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    only: str = ""
    recorded: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def attack(self) -> npt.NDArray[np.bool_]:
        """(n,) rows that count as flows of an attack."""
        return np.asarray(self.counts & (self.truth == ATTACK))

    @property
    def benign(self) -> npt.NDArray[np.bool_]:
        """(n,) rows that count as benign flows and are what false alerts are measured on."""
        return np.asarray(self.counts & (self.truth == BENIGN) & ~self.beside)

    def matrix(self, feature_set: "FeatureSet", variant: str) -> npt.NDArray[np.float32]:
        """Return the features (n, k) of every row.

        Raises NettrusionError when the data cannot be turned into that set.
        """
        if self.flows is not None and self.only not in ("", feature_set.name):
            raise NettrusionError(
                f"{self.name}: flow records feed the feature set {self.only} alone, not {feature_set.name};"
                " judge a bundle of that set, or give the captures"
            )
        if self.flows is not None:
            return feature_set.extract(self.flows, variant)
        known = self.tables.get((feature_set.name, variant))
        if known is None:
            there = ", ".join(f"{name} ({kind})" for name, kind in self.tables) or "none"
            raise NettrusionError(f"{self.name}: has no features of {feature_set.name} ({variant}), only of {there}")
        return known

    def days(self, rows: npt.NDArray[np.bool_]) -> float:
        """Return for how many days the captures of some rows were watched; silences over ten minutes left out."""
        if self.flows is None:
            return 0.0
        total = 0
        for number in np.unique(self.capture[rows]).tolist():
            own = self.flows[self.capture == number]
            times = np.sort(np.concatenate([own["start_ns"], own["end_ns"]]))
            total += int(np.minimum(np.diff(times), PAUSE_NS).sum())
        return total / _DAY_NS


def of_captures(
    folder: Path, labels: Path, flow_labels: Path | None = None, name: str = "labelled captures"
) -> Evidence:
    """Return every labelled capture, replayed as the sensor reads it.

    Args:
        folder: under which the labels' file names lie.
        labels: what the captures are (see `datasets.labelled_captures`).
        flow_labels: which flows are attacks; None: the filters of the labels say it.
        name: for headings.

    Raises NettrusionError: a file is missing or has no such columns.
    """
    known = list(listed(labels))
    truth = None if flow_labels is None else read_truth(flow_labels, known)
    parts, names, families, marks, firsts, beside = [], [], [], [], [], []
    for capture in known:
        path = folder / capture.file
        played = replay(path)
        mark, first = label(capture, path, played.flows, truth, labels)
        mark, first = _of_flows(mark, first, played.flows)
        own = capture.kind != "benign" and mark == BENIGN
        parts.append(played)
        marks.append(mark)
        firsts.append(first)
        beside.append(np.broadcast_to(own, mark.shape))
        names.append(np.where(beside[-1], BESIDE, capture.group))
        families.append(np.where(mark == ATTACK, _family(capture.group), CLASSES[0]))
    everything = _joined(name, tuple(one.file for one in known), parts, np.concatenate(marks))
    reason = NOT_SAID if truth is None else NO_TRUTH
    undecided = int(((everything.truth == UNDECIDED) & _ended(everything.flows)).sum())
    return replace(
        everything,
        label=np.concatenate(names).astype(str),
        family=np.concatenate(families).astype(str),
        alike=sum(one.kind == "benign" for one in known) > 1,
        beside=np.concatenate(beside),
        first_ns=np.concatenate(firsts),
        left_out={reason: undecided} if undecided else {},
    )


def of_recordings(places: Sequence[Path], name: str = "recordings") -> Evidence:
    """Return our own recordings, replayed as the sensor reads them; labels name the activity too.

    Raises NettrusionError: a file is missing, is not the one its manifest names, or two have one name.
    """
    parts, names, families, marks = [], [], [], []
    clusters: list[str] = []
    files: list[str] = []
    left_out: dict[str, int] = {}
    for found in recordings.locate(places):
        recordings.check(found.labels, {path.name: sha256_of(path) for path in (found.capture, found.labels)})
        played = replay(found.capture)
        join = recordings.joined(played.flows, found.labels)
        ended, told = _ended(played.flows), join.rows >= 0
        for reason, mask in join.dropped.items():
            left_out[reason] = left_out.get(reason, 0) + int((mask & ended).sum())
        talks = [*join.conversations, Conversation(0, 0, "", "", "", 0, 0, "")]
        label_of = np.array([normalise(talk.label) for talk in talks])[join.rows]
        activity = np.array([talk.activity for talk in talks])[join.rows]
        attack = label_of != CLASSES[0]
        marks.append(np.where(~told, UNDECIDED, np.where(attack, ATTACK, BENIGN)).astype(np.int8))
        plain = np.array([talk.label for talk in talks])[join.rows]
        names.append(np.where(activity != "", np.char.add(np.char.add(plain, ": "), activity), plain))
        families.append(np.array([_family(talk.label) for talk in talks])[join.rows])
        hosts, runs = ([getattr(talks[row], what) for row in join.rows.tolist()] for what in ("host", "run"))
        clusters += groups(found.name, played.flows["start_ns"], hosts, runs)
        parts.append(played)
        files.append(found.name)
    everything = _joined(name, tuple(files), parts, np.concatenate(marks))
    return replace(
        everything,
        label=np.concatenate(names).astype(str),
        family=np.concatenate(families).astype(str),
        cluster=numbered(clusters),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def of_records(name: str, records: LabelledFlows) -> Evidence:
    """Return flow records that other programs wrote, every file a capture; they have ends and times but no packets."""
    flows, label = records.flows, records.label
    known = label != ""
    truth = np.where(known, np.where(label == CLASSES[0], BENIGN, ATTACK), UNDECIDED).astype(np.int8)
    undecided = int((~known).sum())
    return Evidence(
        name=name,
        label=label,
        family=np.array([_family(one) for one in label.tolist()], dtype=str),
        truth=truth,
        counts=known,
        capture=records.file,
        captures=tuple(one.name for one in records.files),
        alike=False,
        beside=np.zeros(len(flows), dtype=bool),
        cluster=pair_keys(flows),
        weight=np.ones(len(flows)),
        flows=flows,
        first_ns=flows["start_ns"].astype(np.int64),
        left_out={UNLABELLED: undecided} if undecided else {},
        only=FEEDS,
        recorded=records.score if len(records.score) == len(flows) and np.isfinite(records.score).all() else None,
    )


def of_tables(name: str, tables: "Mapping[tuple[str, str], FlowTable]") -> Evidence:
    """Return the rows of a table, which have features and labels but no packets.

    Args:
        name: for headings.
        tables: the same rows by feature set and variant, at least once.

    Raises ValueError when the rows differ.
    """
    table, *others = tables.values()
    if any(other.labels != table.labels or not np.array_equal(other.label, table.label) for other in others):
        raise ValueError(f"{name}: read for one feature set it has other rows than for another")
    return Evidence(
        name=name,
        label=np.array(table.labels)[table.label],
        family=table.family,
        truth=np.where(table.benign, BENIGN, ATTACK).astype(np.int8),
        counts=np.ones(len(table), dtype=bool),
        capture=np.searchsorted(np.array(table.sources), table.origin).astype(np.int64),
        captures=table.sources,
        alike=False,
        beside=np.zeros(len(table), dtype=bool),
        cluster=table.pair_key,
        weight=table.weight,
        flows=None,
        tables={key: one.features for key, one in tables.items()},
    )


def _joined(name: str, captures: tuple[str, ...], parts: Sequence[Replay], truth: npt.NDArray[np.int8]) -> Evidence:
    """Return replays put one behind the other, without what their labels say."""
    flows = recordings.whole(part.flows for part in parts)
    count = len(flows)
    return Evidence(
        name=name,
        label=np.full(count, "", dtype=str),
        family=np.full(count, "", dtype=str),
        truth=truth,
        counts=_ended(flows) & (truth != UNDECIDED),
        capture=np.repeat(np.arange(len(parts)), [len(part.flows) for part in parts]).astype(np.int64),
        captures=captures,
        alike=False,
        beside=np.zeros(count, dtype=bool),
        cluster=pair_keys(flows),
        weight=np.ones(count),
        flows=flows,
        packet=np.concatenate([part.packet for part in parts]),
        time_ns=np.concatenate([part.time_ns for part in parts]),
        first_ns=flows["start_ns"].astype(np.int64),
        packet_ns=tuple(part.packet_ns for part in parts),
    )


def _ended(flows: npt.NDArray[np.void] | None) -> npt.NDArray[np.bool_]:
    if flows is None:
        return np.zeros(0, dtype=bool)
    return np.asarray(flows["reason"] != Reason.SNAPSHOT)


def _of_flows(
    marks: npt.NDArray[np.int8], first: Numbers, flows: npt.NDArray[np.void]
) -> tuple[npt.NDArray[np.int8], Numbers]:
    """Give a snapshot what is known of its flow in the end: the attack may begin after it."""
    ended = _ended(flows)
    final = {
        int(flow): (mark, ns)
        for flow, mark, ns in zip(flows["flow_id"][ended], marks[ended], first[ended], strict=True)
        if mark == ATTACK
    }
    marks, first = marks.copy(), first.copy()
    for place in np.flatnonzero(~ended).tolist():
        marks[place], first[place] = final.get(int(flows["flow_id"][place]), (marks[place], first[place]))
    return marks, first


def _family(name: str) -> str:
    rule = RULES.get(normalise(name))
    return name if rule is None else rule.family
