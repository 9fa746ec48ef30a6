"""Captures of other origin, labelled by a table: `labels.tsv`, a row a file, and if there is one `flows.tsv`.

`labels.tsv` is tab-separated: file, kind (benign, attack, mixed), class, group, attack_bpf, label_strength. The
attack's packets are those that `attack_bpf` lets through, a filter in tcpdump's words; ANY means all of them, and
what begins with `?` is no filter: such a capture is labelled by `flows.tsv` alone, which gives for each
bidirectional 5-tuple of a file its first and last time and how many of its packets are the attack's.
A flow is an attack if one of its packets is.
"""

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import filtering, frames
from training.datasets.captures import BEYOND, pair_keys, thinned, tuple_keys
from training.datasets.conversations import Key, nanoseconds, packed, spans
from training.datasets.labels import normalise, rule_for
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.recordings import assemble, whole
from training.datasets.table import FlowTable, Loaded, join

if TYPE_CHECKING:
    from sensor.features import FeatureSet

Flows = npt.NDArray[np.void]
Numbers = npt.NDArray[np.int64]
Truth = Mapping[tuple[str, Key], Sequence[tuple[int, int, int]]]
"""First ns, last ns and attack packets of every labelled 5-tuple of every file."""

LABELS, FLOWS = "labels.tsv", "flows.tsv"
COLUMNS = frozenset({"file", "kind", "class", "group", "attack_bpf", "label_strength"})
FLOW_COLUMNS = frozenset({"file", "proto", "src", "sport", "dst", "dport", "first_ts", "last_ts", "attack_packets"})
WHOLE, NO_FILTER = "ANY", "?"
BENIGN, ATTACK, UNDECIDED = 0, 1, -1
NO_TRUTH = "no ground truth for the 5-tuple at that time"
NOT_SAID = "the capture's attack packets are told by no filter, and there is no table of flows"
LABEL_RULE = (
    "labelled captures: every flow of an attack capture whose filter is ANY; of others the flows with an attack"
    " packet, by the table of flows or else by the filter; the rest of an attack capture is benign"
)
_SLACK_NS = 1_000_000_000
"""Tables of flows have times of another program, which ends a flow a little earlier or later."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One labelled capture: `group` is its class for an attack, its kind of network if benign.

    `whole` says that all of its packets are the attack's, `bpf` which are; empty for a benign one.
    """

    file: str
    kind: str
    group: str
    strength: str
    whole: bool
    bpf: str = ""


def find(place: Path) -> list[Path]:
    """Return the tables of labels below a folder, or the one that is named, known by their header; sorted."""
    if place.is_dir():
        return sorted(path for path in place.rglob("*.tsv") if path.is_file() and _is_labels(path))
    return [place] if place.is_file() and _is_labels(place) else []


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read labelled captures into one table; every capture is an episode, every table of labels a source.

    The captures lie beside their table `labels.tsv`, and so does `flows.tsv` if there is one.

    Args:
        places: folders with such a table, or the tables.
        feature_set: turns flow records into features; the code the sensor uses.
        variant: the formulas to use.
        row_limit: of a class with more flows than this in a capture, so many are kept, evenly spread over
            its time. Weights undo it.

    Raises:
        NettrusionError: a file is missing, has no such columns, or a filter is none.
    """
    manifest = Manifest(label_rule=LABEL_RULE, errata=[])
    tables = []
    for labels in (path for place in places for path in find(place)):
        flows, captures = labels.with_name(FLOWS), list(listed(labels))
        truth = read_truth(flows, captures) if flows.is_file() else None
        manifest.files += [_source(path, 0) for path in (labels, flows) if path.is_file()]
        for number, capture in enumerate(captures):
            table = _tabulate(capture, labels, truth, (feature_set, variant, row_limit), manifest, number)
            if len(table):
                tables.append(table)
        manifest.about.append(f"captures of other origin ({labels.parent.name})")
    if not tables:
        raise NettrusionError(f"{', '.join(map(str, places))}: no labelled capture with a flow; give a {LABELS}")
    return Loaded(join(tables), manifest)


def listed(labels: Path) -> Iterator[Capture]:
    """Yield the captures of a table of labels; raises NettrusionError for what is none."""
    for row in _rows(labels, COLUMNS):
        group = row["group"] if row["kind"] == "benign" else row["class"]
        bpf = row["attack_bpf"]
        yield Capture(row["file"], row["kind"], group, row["label_strength"], bpf == WHOLE, bpf)


def read_truth(path: Path, captures: Iterable[Capture]) -> Truth:
    """Return what a table of flows says of those captures that need it, by file and 5-tuple.

    Raises NettrusionError for what is no such table.
    """
    needed = {capture.file for capture in captures if capture.kind != "benign" and not capture.whole}
    truth: dict[tuple[str, Key], list[tuple[int, int, int]]] = {}
    for number, row in enumerate(_rows(path, FLOW_COLUMNS), 2):
        if row["file"] not in needed:
            continue
        try:
            ends = sorted((packed(row[side]), int(row[f"{side[0]}port"] or 0)) for side in ("src", "dst"))
            said = (nanoseconds(row["first_ts"]), nanoseconds(row["last_ts"]), int(row["attack_packets"]))
            truth.setdefault((row["file"], (int(row["proto"]), ends[0], ends[1])), []).append(said)
        except (ValueError, TypeError) as problem:
            raise NettrusionError(f"{path}: row {number}: {problem}; give addresses and numbers") from problem
    return truth


def label(
    capture: Capture, path: Path, flows: Flows, truth: Truth | None, labels: Path = Path(LABELS)
) -> tuple[npt.NDArray[np.int8], Numbers]:
    """Say of the flows of one capture which are attacks, and when the first attack packet of each was.

    Args:
        capture: what its row in the table says.
        path: where it lies.
        flows: FLOW_DTYPE, shape (n,), of this capture.
        truth: the table of flows, None where there is none.
        labels: the table, for messages.

    Returns:
        (n,) int8: ATTACK, BENIGN, or UNDECIDED where nothing says it; (n,) int64 ns, the start of a flow of
        which no packet is told apart.
    """
    first = flows["start_ns"].astype(np.int64)
    if capture.kind == "benign":
        return np.full(len(flows), BENIGN, dtype=np.int8), first
    if capture.whole:
        return np.full(len(flows), ATTACK, dtype=np.int8), first
    if truth is not None:
        return _by_truth(capture, flows, truth), first
    if not capture.bpf or capture.bpf.startswith(NO_FILTER):
        return np.full(len(flows), UNDECIDED, dtype=np.int8), first
    return _by_packets(attack_packets(capture, path, labels), flows)


def attack_packets(capture: Capture, path: Path, labels: Path) -> dict[Key, list[int]]:
    """Return the times of the packets that a capture's filter lets through, by 5-tuple, ascending.

    The flow engine says what a packet's 5-tuple is: it is given each of them alone.
    """
    from sensor.flows import PROFILES, FlowEngine, Framing

    packets = frames.read(path)
    rows = np.flatnonzero(filtering.checked(capture.bpf, packets, labels, capture.file))
    engine, framing = FlowEngine(PROFILES["wire"]), Framing.sniff(packets.data[:4])
    view, taken, fed = memoryview(packets.data), [], 0
    chosen = set(rows.tolist())
    for place, (begin, end) in enumerate(zip(packets.begin.tolist(), packets.end.tolist(), strict=True)):
        # What stands between the packets (headers, interfaces) is always read.
        if begin > fed:
            engine.feed(view[fed:begin], framing)
        fed = end
        if place in chosen:
            engine.feed(view[begin:end], framing)
            while engine.drain():
                pass
            taken.append(engine.take())
    times: dict[Key, list[int]] = {}
    for key, start_ns, _ in spans(whole(taken)):
        times.setdefault(key, []).append(start_ns)
    return {key: sorted(found) for key, found in times.items()}


def _by_packets(times: Mapping[Key, Sequence[int]], flows: Flows) -> tuple[npt.NDArray[np.int8], Numbers]:
    marks = np.full(len(flows), BENIGN, dtype=np.int8)
    first = flows["start_ns"].astype(np.int64)
    for place, (key, start_ns, end_ns) in enumerate(spans(flows)):
        known = times.get(key, ())
        next_one = bisect_left(known, start_ns)
        if next_one < len(known) and known[next_one] <= end_ns:
            marks[place], first[place] = ATTACK, known[next_one]
    return marks, first


def _by_truth(capture: Capture, flows: Flows, truth: Truth) -> npt.NDArray[np.int8]:
    marks = np.full(len(flows), UNDECIDED, dtype=np.int8)
    for place, (key, start_ns, end_ns) in enumerate(spans(flows)):
        found = [
            packets
            for first, last, packets in truth.get((capture.file, key), ())
            if first - _SLACK_NS <= end_ns and start_ns <= last + _SLACK_NS
        ]
        if found:
            marks[place] = ATTACK if sum(found) else BENIGN
    return marks


def _tabulate(
    capture: Capture,
    labels: Path,
    truth: Truth | None,
    wanted: tuple["FeatureSet", str, int],
    manifest: Manifest,
    number: int,
) -> FlowTable:
    """Return the flows of one capture as a table; what is dropped is counted in the manifest."""
    feature_set, variant, row_limit = wanted
    path = labels.parent / capture.file
    flows = assemble(path)
    marks, _ = label(capture, path, flows, truth, labels)
    manifest.drop(f"flows: {NOT_SAID if truth is None else NO_TRUTH}", int((marks == UNDECIDED).sum()))
    names = np.where(marks == ATTACK, normalise(capture.group), "benign")
    known = (marks != UNDECIDED) & np.array([rule_for(str(name)) is not None for name in names], dtype=bool)
    manifest.drop(f"flows: unknown class {capture.group}", int(((marks != UNDECIDED) & ~known).sum()))
    kept, weight = thinned(names, known, row_limit)
    manifest.drop(f"flows: {BEYOND}", int(known.sum()) - len(kept))
    manifest.files.append(_source(path, len(flows)))
    for name in sorted(set(names[kept].tolist())):
        own = names[kept] == name
        manifest.kept[name] = manifest.kept.get(name, 0) + int(own.sum())
        manifest.totals[name] = manifest.totals.get(name, 0) + round(weight[own].sum())
    given = tuple(sorted(set(names[kept].tolist())))
    flows = flows[kept]
    return FlowTable(
        features=feature_set.extract(flows, variant),
        label=np.searchsorted(np.array(given, dtype=str), names[kept]).astype(np.int16),
        time_ns=flows["start_ns"].astype(np.int64),
        tuple_key=tuple_keys(flows, capture.file),
        pair_key=pair_keys(flows),
        weight=weight,
        labels=given,
        feature_names=feature_set.names,
        episode=np.full(len(flows), number, dtype=np.int64),
        source=np.zeros(len(flows), dtype=np.int64),
        sources=(labels.parent.name or labels.name,),
    )


def _source(path: Path, rows: int) -> SourceFile:
    return SourceFile(path.name, path.stat().st_size, sha256_of(path), rows)


def _is_labels(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.readline(4096).decode("utf-8", "replace")
    return set(head.rstrip("\r\n").split("\t")) >= COLUMNS


def _rows(path: Path, needed: frozenset[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab-separated file with a header, after a look at the header."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream, delimiter="\t")
            if missing := needed - set(reader.fieldnames or ()):
                raise NettrusionError(f"{path}: no column {', '.join(sorted(missing))}")
            yield from reader
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise NettrusionError(f"{path}: is no text in UTF-8: {problem}") from problem
