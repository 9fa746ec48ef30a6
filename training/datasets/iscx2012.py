"""ISCXIDS2012: its flow records alone, or as labels for flows that our own engine makes of its captures.

A file is the XML of a day, a part of it, an extract, or the CSV release. A capture of the same day beside it
(the same name, or the same day of June in its name) is assembled and takes its labels from the records.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.features.iscx import SECOND_NS
from training.datasets import iscx2012_rows
from training.datasets.captures import BEYOND, pair_keys, thinned, tuple_keys
from training.datasets.iscx2012_days import LABELS, named_day
from training.datasets.iscx2012_join import Offset, estimate, join
from training.datasets.iscx2012_rows import BOTH_TAGS, Notes
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.recordings import CAPTURES, assemble
from training.datasets.table import FlowTable, Loaded
from training.datasets.table import join as joined

if TYPE_CHECKING:
    from sensor.features import FeatureSet

NAME = "iscx2012"
OFFSET_FILE = "utc-offset.txt"
ABOUT = "ISCXIDS2012, one lab network of June 2010 (Shiravi et al., Computers & Security 31(3), 2012)"
LABEL_RULE = (
    "ISCXIDS2012: the record's Tag says normal or attack, its day says which (Shiravi et al. 2012); infiltration, and"
    " attacks on days without a scenario, are tested, never learnt"
)
ERRATA = [
    "times are a wall clock's, whole seconds: the offset to UTC is estimated from a capture, or set, or unknown",
    "IPv6 addresses are 0.0.0.0 in the records: they are labels for no flow",
    "nearly every attack has its own day, so that a split by day leaves a family out",
    "a day's attack may be another than its scenario (a Tuesday's SSH connection is tagged Attack)",
]
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)(:(?P<seconds>\d\d))?")
_ENDINGS = (*CAPTURES, ".cap")


def find(place: Path) -> list[Path]:
    """Return the flow files of ISCXIDS2012 below a folder, or the file itself, sorted; by their heads.

    Of a folder that has a day as XML and, under the same name, as CSV, the XML alone: a flow counts once.
    """
    paths = sorted(place.rglob("*")) if place.is_dir() else [place]
    known = [
        path
        for path in paths
        if path.suffix.lower() in (".xml", ".csv") and path.is_file() and iscx2012_rows.reader(path) is not None
    ]
    twice = {path.with_suffix("") for path in known if path.suffix.lower() == ".xml"}
    return [path for path in known if path.suffix.lower() == ".xml" or path.with_suffix("") not in twice]


def load(
    places: Sequence[Path],
    feature_set: "FeatureSet",
    variant: str,
    row_limit: int = 200_000,
    offset: Offset | None = None,
) -> Loaded:
    """Read flow files, with the captures beside them, into one table.

    Args:
        places: folders with such files, or the files.
        feature_set: for files without their capture only `iscx2012`; any for those with it.
        variant: the formulas to use.
        row_limit: of a label with more flows than this in a day, so many are kept, evenly spread over
            it. Weights undo it.
        offset: of the records' clock from UTC; None: what utc-offset.txt beside a file says, else
            estimated from its capture, else 0.

    Raises:
        NettrusionError: nothing is found, a file is damaged, its clock cannot be told, or without a
            capture it cannot feed the feature set.
    """
    paths = [path for place in places for path in find(place)]
    if not paths:
        raise NettrusionError(f"{', '.join(map(str, places))}: no flow file of ISCXIDS2012, neither XML nor CSV")
    manifest = Manifest(label_rule=LABEL_RULE, errata=list(ERRATA), about=[ABOUT])
    tables = []
    for capture, group in _days(paths):
        if capture is None and feature_set.name != NAME:
            raise NettrusionError(
                f"{group[0]}: without its capture it feeds the feature set {NAME} alone, not {feature_set.name};"
                " put the day's capture beside it, such as testbed-14jun.pcap"
            )
        rows, features = _records(group, feature_set if capture is None else None, variant, manifest)
        chosen = offset or _said(group[0])
        if capture is None:
            told = str(chosen) if chosen else "unknown, taken as UTC"
            rows["start_ns"] -= (chosen.seconds if chosen else 0) * SECOND_NS
            manifest.about.append(f"{group[0].name}: records alone, their clock {told}")
            tables.append(_table(rows, rows, features, row_limit, manifest, feature_set))
            continue
        flows = assemble(capture)
        manifest.files.append(SourceFile(capture.name, capture.stat().st_size, sha256_of(capture), len(flows)))
        chosen = chosen or estimate(rows, flows, group[0].name)
        manifest.about.append(f"{capture.name}: clock of its records {chosen}")
        found = join(rows, flows, chosen)
        for reason, count in found.dropped.items():
            manifest.drop(f"flows: {reason}", count)
        manifest.drop("records that no flow belongs to", found.unmatched)
        kept = found.rows >= 0
        if not kept.any():
            raise NettrusionError(
                f"{group[0]}: no flow of {capture.name} has a record at its time with the clock {chosen};"
                f" take {OFFSET_FILE} away to have it estimated"
            )
        flows = flows[kept]
        matrix = feature_set.extract(flows, variant)
        tables.append(_table(flows, rows[found.rows[kept]], matrix, row_limit, manifest, feature_set))
    return Loaded(joined(tables), manifest)


def _days(paths: Sequence[Path]) -> Iterable[tuple[Path | None, list[Path]]]:
    """Yield captures with the flow files of their days; files without one stand alone."""
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        capture = _capture(path)
        if capture is None:
            yield None, [path]
        else:
            groups.setdefault(capture, []).append(path)
    yield from groups.items()


def _capture(path: Path) -> Path | None:
    """Return the capture beside a flow file: the one of its name, else the one of its day."""
    beside = sorted(one for one in path.parent.iterdir() if one.name.lower().endswith(_ENDINGS) and one.is_file())
    for one in beside:
        if any(one.name.lower() == path.stem.lower() + ending for ending in _ENDINGS):
            return one
    day = named_day(path.stem)
    return next((one for one in beside if day is not None and named_day(one.name) == day), None)


def _records(
    group: Sequence[Path], feature_set: "FeatureSet | None", variant: str, manifest: Manifest
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float32]]:
    """Return the records of some files, and their features if a set is given; oddities go to the manifest."""
    rows, features, notes = [], [], Notes.empty()
    for path in group:
        count = 0
        for batch in iscx2012_rows.read(path, notes):
            rows.append(batch.rows)
            count += len(batch.rows)
            if feature_set is not None:
                features.append(feature_set.from_columns(batch.columns, variant))
        manifest.files.append(SourceFile(path.name, path.stat().st_size, sha256_of(path), count))
    whole = np.concatenate(rows)
    for reason, number in notes.dropped.items():
        manifest.drop(reason, number)
    for flaw, number in notes.odd.items():
        manifest.mend(flaw, number)
    manifest.mend(BOTH_TAGS, iscx2012_rows.both_tags(whole))
    return whole, np.concatenate(features) if features else np.empty((0, 0), dtype=np.float32)


def _table(
    flows: npt.NDArray[np.void],
    records: npt.NDArray[np.void],
    features: npt.NDArray[np.float32],
    row_limit: int,
    manifest: Manifest,
    feature_set: "FeatureSet",
) -> FlowTable:
    """Return flows (or records: both have 5-tuple and start) with the labels of records (n,) as a table."""
    names = np.array(LABELS)[records["label"]]
    kept, weight = thinned(names, np.ones(len(names), dtype=np.bool_), row_limit)
    manifest.drop(f"flows: {BEYOND}", len(names) - len(kept))
    for name, stands, rows in zip(*_counted(names), _counted(names[kept])[1], strict=True):
        manifest.kept[name] = manifest.kept.get(name, 0) + rows
        manifest.totals[name] = manifest.totals.get(name, 0) + stands
    labels = tuple(sorted(set(names.tolist())))
    flows = flows[kept]
    return FlowTable(
        features=features[kept],
        label=np.searchsorted(np.array(labels), names[kept]).astype(np.int16),
        time_ns=flows["start_ns"].astype(np.int64),
        tuple_key=tuple_keys(flows, NAME),
        pair_key=pair_keys(flows),
        weight=weight,
        labels=labels,
        feature_names=feature_set.names,
        episode=records["day"][kept].astype(np.int64),
        source=np.zeros(len(kept), dtype=np.int64),
        sources=(NAME,),
    )


def _counted(names: npt.NDArray[np.str_]) -> tuple[list[str], list[int]]:
    found, counts = np.unique(names, return_counts=True)
    return found.tolist(), counts.tolist()


def _said(path: Path) -> Offset | None:
    """Return the offset that the file utc-offset.txt beside a flow file sets, None without such a file."""
    place = path.with_name(OFFSET_FILE)
    if not place.is_file():
        return None
    text = place.read_text(encoding="utf-8").strip()
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise NettrusionError(f"{place}: {text!r} is no offset from UTC; write one such as -03:00")
    seconds = int(found["hours"]) * 3600 + int(found["minutes"]) * 60 + int(found["seconds"] or 0)
    return Offset(-seconds if found["sign"] == "-" else seconds)
