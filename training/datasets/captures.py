"""Recordings as a table: features by the sensor's own code, labels, episodes, keys of hosts and connections."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from training.datasets.labels import normalise, rule_for
from training.datasets.manifest import Manifest
from training.datasets.recordings import Recording, read
from training.datasets.table import FlowTable, Loaded, join

if TYPE_CHECKING:
    from sensor.features import FeatureSet

UNKNOWN = "unknown label"
BEYOND = "beyond the row limit of its label"
LABEL_RULE = (
    "recordings: the label of the conversation with the flow's 5-tuple, either way round, at its time; a conversation"
    " is labelled by the program whose socket it was; infiltration is tested, never learnt"
)


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read recordings into one table; every recording is a source, every act an episode.

    Args:
        places: folders of recordings, or files of one each.
        feature_set: turns flow records into features; the code the sensor uses.
        variant: the formulas to use.
        row_limit: of a label with more flows than this in a recording, so many are kept, evenly
            spread over its time. Weights undo it.

    Raises:
        NettrusionError: a file is missing, is not the one its manifest names, or two recordings
            have one name.
    """
    tables = []
    manifest = Manifest(label_rule=LABEL_RULE, errata=[])
    for recording in read(places):
        table = tabulate(recording, feature_set, variant, row_limit, manifest)
        tables.append(table)
        for name, rows in zip(table.labels, np.bincount(table.label, minlength=len(table.labels)), strict=True):
            manifest.kept[name] = manifest.kept.get(name, 0) + int(rows)
            stands = round(table.weight[table.label == table.labels.index(name)].sum())
            manifest.totals[name] = manifest.totals.get(name, 0) + stands
    names = [name for table in tables for name in table.sources]
    manifest.about.append(f"recordings of real programs on a made network ({', '.join(names)})")
    return Loaded(join(tables), manifest)


def tabulate(
    recording: Recording, feature_set: "FeatureSet", variant: str, row_limit: int, manifest: Manifest
) -> FlowTable:
    """Return a recording as a table; what is dropped is counted in the manifest."""
    names = np.array([normalise(talk.label) for talk in recording.conversations])[recording.rows]
    known = np.array([rule_for(name) is not None for name in names], dtype=bool)
    kept, weight = thinned(names, known, row_limit)
    manifest.files.extend(recording.files)
    for reason, count in recording.dropped.items():
        manifest.drop(f"flows: {reason}", count)
    manifest.drop(f"flows: {UNKNOWN}", int((~known).sum()))
    manifest.drop(f"flows: {BEYOND}", int(known.sum()) - len(kept))
    manifest.drop("conversations of the labels file that are in no flow", recording.unmatched)
    labels = tuple(sorted(set(names[kept].tolist())))
    flows = recording.flows[kept]
    act, run = recording.column("act")[kept], recording.column("run")[kept]
    return FlowTable(
        features=feature_set.extract(flows, variant),
        label=np.searchsorted(np.array(labels), names[kept]).astype(np.int16),
        time_ns=flows["start_ns"].astype(np.int64),
        tuple_key=tuple_keys(flows, recording.name),
        pair_key=pair_keys(flows),
        weight=weight,
        labels=labels,
        feature_names=tuple(feature.name for feature in feature_set.features),
        episode=np.where(act > 0, act, run).astype(np.int64),
        source=np.zeros(len(kept), dtype=np.int64),
        sources=(recording.name,),
    )


def pair_keys(flows: npt.NDArray[np.void]) -> npt.NDArray[np.uint64]:
    """Return (n,) uint64, the same for both directions of one pair of hosts."""
    with np.errstate(over="ignore"):
        both: npt.NDArray[np.uint64] = _end(flows, "src", ports=False) + _end(flows, "dst", ports=False)
    return both


def tuple_keys(flows: npt.NDArray[np.void], recording: str) -> npt.NDArray[np.uint64]:
    """Return (n,) uint64, the same for both directions of one 5-tuple of one recording.

    The same 5-tuple in another recording is another connection.
    """
    salt = np.frombuffer(hashlib.sha256(recording.encode()).digest()[:8], dtype=np.uint64)
    with np.errstate(over="ignore"):
        both = _end(flows, "src", ports=True) + _end(flows, "dst", ports=True)
        keys: npt.NDArray[np.uint64] = _mix(both + _mix(salt ^ flows["proto"].astype(np.uint64)))
    return keys


def _end(flows: npt.NDArray[np.void], side: str, *, ports: bool) -> npt.NDArray[np.uint64]:
    """Return (n,) a hash of one end's address, with its port if wanted."""
    halves = np.ascontiguousarray(flows[side]).view(np.uint64)
    port = flows[f"{side}_port"].astype(np.uint64) if ports else np.uint64(0)
    return _mix(
        halves[:, 0] ^ _mix(halves[:, 1] ^ _mix(port + flows["ip_version"].astype(np.uint64) * np.uint64(1 << 16)))
    )


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return well-spread bits of each number: the finaliser of splitmix64."""
    with np.errstate(over="ignore"):
        mixed: npt.NDArray[np.uint64] = value + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def thinned(
    names: npt.NDArray[np.str_], known: npt.NDArray[np.bool_], limit: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the rows to keep, ascending, and how many flows each stands for."""
    weight = np.zeros(len(names))
    for name in np.unique(names[known]):
        rows = np.flatnonzero(known & (names == name))
        kept = rows if len(rows) <= limit else rows[np.linspace(0, len(rows) - 1, limit).astype(int)]
        weight[kept] = len(rows) / len(kept)
    chosen = np.flatnonzero(weight > 0)
    return chosen, weight[chosen]
