"""The corrected CICIDS2017 CSVs: the full download, or samples of it by class.

The release is that of Engelen et al. (WTMC 2021) and Liu et al. (CNS 2022): flows cut by a repaired
CICFlowMeter, labels by payload, 91 columns. A folder is read in chunks, twice: once for the labels
alone, to know how many there are, then for everything, keeping at most `row_limit` rows a label.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import hygiene
from training.datasets.labels import RULES, is_attempted, normalise, rule_for
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.table import FlowTable, Loaded

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

CHUNK_ROWS = 50_000
LABEL = "Label"
KEY = ("Flow ID", "Timestamp", "Flow Duration", LABEL)
HOSTS = ("Src IP", "Dst IP")
PORTS = ("Src Port", "Dst Port")
PROTOCOL = "Protocol"
WHOLE = frozenset((*PORTS, PROTOCOL, "Flow Duration"))
NEEDED = frozenset((*KEY, *HOSTS, *PORTS, PROTOCOL))
_TOTAL = re.compile(r"^\|\s*(?P<name>[^|]+?)_\d+\.csv\s*\|\s*(?P<total>\d+)\s*\|")

NAME = "cicids2017"
"""What the release is called as a source of rows, in the lists of a split by days too."""
ABOUT = "the corrected CICIDS2017 release, one lab network of 2017"
LABEL_RULE = (
    "column Label, lower case; `... - Attempted` rows (no malicious payload) are dropped;"
    " `Infiltration - Portscan` is a scan; infiltration and heartbleed are tested, never learnt"
)
ERRATA = [
    "corrected release (Engelen et al., WTMC 2021; Liu et al., CNS 2022), not the CSVs published in 2017",
    "`id` restarts every day and is no key: rows are deduplicated by Flow ID, Timestamp, Flow Duration and Label",
    "Bwd Init Win Bytes is the window of the LAST backward packet; Subflow columns are x // n",
    "attack flows recorded the other way round (a closed port `opens` them) are labelled BENIGN:"
    " benign rows between attacker and victim during the attack are dropped",
    "Fwd/Bwd Header Length hold negative values where the extractor overflowed",
]


def load(folders: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read every labelled flow table of the folders into one deduplicated, weighted table.

    Args:
        folders: where the CSVs lie; samples of one data set may lie in several.
        feature_set: turns columns into features; the code the sensor uses.
        variant: which historical definition the columns have, `cns22` here.
        row_limit: at most about so many rows a label are kept, chosen by a hash of the row's key,
            so that the choice repeats. Weights undo it.

    Raises:
        NettrusionError: a folder is missing, or holds no CSV with the columns of the release.
    """
    manifest = Manifest(label_rule=LABEL_RULE, errata=list(ERRATA), about=[ABOUT])
    paths = list(_tables(folders, manifest))
    counts = _count_labels(paths)
    keep = {label: min(1.0, row_limit / count) for label, count in counts.items()}
    parts: list[_Part] = []
    seen: set[int] = set()
    for path in paths:
        rows = 0
        for frame in _chunks(path, None):
            rows += len(frame)
            part = _read(frame, feature_set, variant, keep, seen, manifest)
            if part is not None:
                parts.append(part)
        manifest.files.append(SourceFile(path.name, path.stat().st_size, sha256_of(path), rows))
    if not parts:
        raise NettrusionError(f"{', '.join(map(str, folders))}: no row has a label this loader knows")
    table = _assemble(parts, tuple(feature.name for feature in feature_set.features))
    doubted = hygiene.doubtful(table)
    manifest.drop(hygiene.REASON, int(doubted.sum()))
    table = table.rows(~doubted)
    return Loaded(_weigh(table, _totals(folders, counts, keep), manifest), manifest)


@dataclass(frozen=True, slots=True)
class _Part:
    """One chunk's rows that stay."""

    features: npt.NDArray[np.float32]
    label: list[str]
    time_ns: npt.NDArray[np.int64]
    tuple_key: npt.NDArray[np.uint64]
    pair_key: npt.NDArray[np.uint64]


def _tables(folders: Iterable[Path], manifest: Manifest) -> Iterator[Path]:
    """Yield the CSVs that have the release's columns; name the others in the manifest."""
    found = False
    for folder in folders:
        if not folder.is_dir():
            raise NettrusionError(f"{folder}: no such folder; give the folder with the corrected CICIDS2017 CSVs")
        for path in sorted(folder.glob("*.csv")):
            with path.open(newline="", encoding="utf-8", errors="replace") as stream:
                header = {name.strip() for name in next(csv.reader(stream), [])}
            if header >= NEEDED:
                found = True
                yield path
            else:
                manifest.skipped.append(path.name)
    if not found:
        raise NettrusionError(
            f"{', '.join(map(str, folders))}: no CSV with the columns {', '.join(sorted(NEEDED))};"
            " this loader reads the corrected release of CICIDS2017"
        )


def _chunks(path: Path, columns: list[str] | None) -> Iterator["pd.DataFrame"]:
    """Yield a CSV as frames of at most CHUNK_ROWS rows."""
    import pandas as pd

    yield from pd.read_csv(
        path,
        chunksize=CHUNK_ROWS,
        usecols=columns,
        skipinitialspace=True,
        encoding="utf-8",
        encoding_errors="replace",
        low_memory=False,
    )


def _count_labels(paths: Sequence[Path]) -> dict[str, int]:
    """Return how many rows each normalised label has over all files, duplicates included."""
    counts: dict[str, int] = {}
    for path in paths:
        for frame in _chunks(path, [LABEL]):
            for label, rows in frame[LABEL].astype(str).value_counts().items():
                name = normalise(str(label))
                counts[name] = counts.get(name, 0) + int(rows)
    return counts


def _read(
    frame: "pd.DataFrame",
    feature_set: "FeatureSet",
    variant: str,
    keep: dict[str, float],
    seen: set[int],
    manifest: Manifest,
) -> _Part | None:
    """Drop, sample and convert one chunk; None when nothing of it stays."""
    names = frame[LABEL].astype(str)
    known = names.map(lambda name: rule_for(name) is not None).to_numpy(dtype=bool)
    attempted = names.map(is_attempted).to_numpy(dtype=bool)
    manifest.drop("attempted: an attack flow without malicious payload", int(attempted.sum()))
    manifest.drop("unknown label", int((~known & ~attempted).sum()))
    frame, names = frame[known], names[known].map(normalise)
    key = _hash(frame, list(KEY))
    share = np.array([keep[name] for name in names], dtype=np.float64)
    sampled = (key / np.float64(2**64)) < share
    manifest.drop("beyond the row limit of its label", int((~sampled).sum()))
    fresh = np.zeros(len(frame), dtype=bool)
    for row in np.flatnonzero(sampled):
        if int(key[row]) not in seen:
            seen.add(int(key[row]))
            fresh[row] = True
    manifest.drop("duplicate: same flow id, time, duration and label", int((sampled & ~fresh).sum()))
    if not fresh.any():
        return None
    frame = frame[fresh]
    columns: dict[str, npt.NDArray[Any]] = {str(name).strip(): frame[name].to_numpy() for name in frame.columns}
    return _Part(
        features=feature_set.from_columns(columns, variant),
        label=list(names[fresh]),
        time_ns=_times(frame["Timestamp"]),
        tuple_key=_both_ways(frame, ports=True),
        pair_key=_both_ways(frame, ports=False),
    )


def _hash(frame: "pd.DataFrame", columns: list[str]) -> npt.NDArray[np.uint64]:
    """Return a stable 64-bit hash of some columns of each row."""
    import pandas as pd

    stable = frame[columns].astype({name: "int64" if name in WHOLE else "object" for name in columns})
    return np.asarray(pd.util.hash_pandas_object(stable, index=False), dtype=np.uint64)


def _both_ways(frame: "pd.DataFrame", *, ports: bool) -> npt.NDArray[np.uint64]:
    """Return a hash per row that does not depend on which end is the source."""
    ends = [[HOSTS[side], *((PORTS[side],) if ports else ())] for side in (0, 1)]
    with np.errstate(over="ignore"):
        total: npt.NDArray[np.uint64] = _hash(frame, ends[0]) + _hash(frame, ends[1])
        if ports:
            total = total + np.uint64(31) * _hash(frame, [PROTOCOL])
    return total


def _times(column: "pd.Series[str]") -> npt.NDArray[np.int64]:
    """Return timestamps, UTC by the release's own account, as nanoseconds since 1970."""
    import pandas as pd

    times = pd.to_datetime(column, format="ISO8601").to_numpy(dtype="datetime64[ns]")
    return np.asarray(times.astype(np.int64))


def _assemble(parts: Sequence[_Part], feature_names: tuple[str, ...]) -> FlowTable:
    """Join the chunks, oldest flow first, ties in file order."""
    text = np.array([name for part in parts for name in part.label])
    labels = tuple(sorted(set(text.tolist())))
    time_ns = np.concatenate([part.time_ns for part in parts])
    table = FlowTable(
        features=np.concatenate([part.features for part in parts]),
        label=np.searchsorted(np.array(labels), text).astype(np.int16),
        time_ns=time_ns,
        tuple_key=np.concatenate([part.tuple_key for part in parts]),
        pair_key=np.concatenate([part.pair_key for part in parts]),
        weight=np.ones(len(text)),
        labels=labels,
        feature_names=feature_names,
        sources=(NAME,),
    )
    return table.rows(np.argsort(time_ns, kind="stable"))


def _totals(folders: Iterable[Path], counts: dict[str, int], keep: dict[str, float]) -> dict[str, int]:
    """Return the flows of each label in the full data set, by README table or by our sampling."""
    totals = {label: counts[label] for label, share in keep.items() if share < 1.0}
    for folder in folders:
        readme = folder / "README.md"
        for line in readme.read_text(encoding="utf-8").splitlines() if readme.is_file() else ():
            if match := _TOTAL.match(line):
                # The table names sampled files: the label with blanks as underscores, a number.
                label = normalise(match["name"].replace("_", " "))
                if label in RULES:
                    totals[label] = int(match["total"])
    return totals


def _weigh(table: FlowTable, totals: dict[str, int], manifest: Manifest) -> FlowTable:
    """Give each row the number of flows it stands for; 1 where no total is known."""
    rows = np.bincount(table.label, minlength=len(table.labels))
    for name, count in zip(table.labels, rows, strict=True):
        manifest.kept[name] = int(count)
        manifest.totals[name] = totals.get(name, int(count))
    factor = np.array([manifest.totals[n] / manifest.kept[n] for n in table.labels])
    table.weight[:] = factor[table.label]
    return table
