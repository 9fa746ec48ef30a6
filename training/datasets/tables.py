"""One reader for the published tables of labelled flows; a `Release` says what is special about each.

Files are read in chunks, twice: once for the labels alone, to know how many there are, then for
everything, keeping at most `row_limit` rows a label.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets import hygiene
from training.datasets.clock import NO_TIME
from training.datasets.labels import RULES, is_attempted, normalise, rule_for
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.table import FlowTable, Loaded

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

CHUNK_ROWS = 50_000
LABEL = "Label"
ATTEMPTED = "attempted: an attack flow without malicious payload"
UNKNOWN = "unknown label"
BEYOND = "beyond the row limit of its label"
DUPLICATE = "duplicate: same flow id, time, duration and label"
SAME_ROW = "duplicate: the same in every column"
NO_CLOCK = "a time that is none, or lies outside the days of the release"
EMPTY = "an empty row"
HEADER_AGAIN = "the header once more, between the rows"
_HOUR_NS = 3_600_000_000_000
_TOTAL = re.compile(r"^\|\s*(?P<name>[^|]+?)_\d+\.csv\s*\|\s*(?P<total>\d+)\s*\|")


@dataclass(frozen=True, slots=True)
class Ends:
    """The columns that say between whom a flow ran."""

    hosts: tuple[str, str]
    ports: tuple[str, str]
    protocol: str = "Protocol"

    @property
    def columns(self) -> frozenset[str]:
        """All five headers."""
        return frozenset((*self.hosts, *self.ports, self.protocol))


@dataclass(frozen=True, slots=True)
class Release:
    """What is special about one publication of flow tables; headers are without blanks around them.

    Attributes:
        title: its name in messages.
        label_rule: how a label becomes a class.
        errata: known flaws.
        needed: headers by which a file is known to be of it.
        feature_sets: the sets that it can feed, and by which variants.
        ends: the columns of hosts and ports, where a file has them.
        port: the responder's port, which every file has.
        times: gives (n,) nanoseconds since 1970 of some rows of a file, NO_TIME for none.
        year_names: the name as a source of rows, and the sentence about it, by year.
        mend: puts a chunk right and counts what it did in the manifest.
        days: first time and the one after the last, nanoseconds since 1970; None: any.
        key: what makes two rows the same; empty: all columns.
    """

    title: str
    label_rule: str
    errata: tuple[str, ...]
    needed: frozenset[str]
    feature_sets: Mapping[str, tuple[str, ...]]
    ends: Ends
    port: str
    times: "Callable[[pd.DataFrame, Path, Manifest], npt.NDArray[np.int64]]"
    year_names: Mapping[int, tuple[str, str]]
    mend: "Callable[[pd.DataFrame, Manifest], pd.DataFrame]"
    days: tuple[int, int] | None = None
    key: tuple[str, ...] = ()

    def find(self, place: Path) -> list[Path]:
        """Return the files of the release below a folder, or the file itself if it is one, sorted."""
        return [path for path in _csvs(place) if path.is_file() and self.is_one(path)]

    def is_one(self, path: Path) -> bool:
        """Say by its header whether a CSV is of the release."""
        try:
            with path.open(newline="", encoding="utf-8", errors="replace") as stream:
                return {name.strip() for name in next(csv.reader(stream), [])} >= self.needed
        except csv.Error:
            return False

    def load(self, places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
        """Read every table of the release into one deduplicated, weighted table.

        Args:
            places: folders of CSVs, or files; samples of one data set may lie in several.
            feature_set: turns columns into features; the code the sensor uses.
            variant: which historical definition the columns have.
            row_limit: at most about so many rows a label are kept, chosen by a hash of the row, so
                that the choice repeats. Weights undo it.

        Raises:
            NettrusionError: a place is missing, none holds a CSV of the release, or the release
                cannot feed the feature set.
        """
        self._check(places, feature_set, variant)
        reading = _Reading(self, feature_set, variant, Manifest(self.label_rule, list(self.errata)))
        paths = list(self._tables(places, reading.manifest))
        counts = _count_labels(paths)
        reading.keep = {label: min(1.0, row_limit / count) for label, count in counts.items()}
        for path in paths:
            reading.file(path)
        if not reading.parts:
            raise NettrusionError(f"{', '.join(map(str, places))}: no row has a label this loader knows")
        table = _assemble(reading, tuple(feature.name for feature in feature_set.features))
        if reading.hosts_known:
            doubted = hygiene.doubtful(table)
            reading.manifest.drop(hygiene.REASON, int(doubted.sum()))
            table = table.rows(~doubted)
        folders = [place if place.is_dir() else place.parent for place in places]
        table = _weigh(table, _totals(folders, counts, reading.keep), reading.manifest)
        return Loaded(table, reading.manifest)

    def _check(self, places: Sequence[Path], feature_set: "FeatureSet", variant: str) -> None:
        able = self.feature_sets.get(feature_set.name, ())
        if variant not in able:
            known = "; ".join(f"{name} ({', '.join(kinds)})" for name, kinds in self.feature_sets.items())
            raise NettrusionError(
                f"{', '.join(map(str, places))}: {self.title} cannot feed {feature_set.name} ({variant});"
                f" it can: {known}"
            )

    def _tables(self, places: Iterable[Path], manifest: Manifest) -> Iterator[Path]:
        """Yield the CSVs of the release; name the others in the manifest."""
        found = False
        for place in places:
            if not place.exists():
                raise NettrusionError(f"{place}: no such folder; give the folder with the CSVs of {self.title}")
            for path in _csvs(place):
                if self.is_one(path):
                    found = True
                    yield path
                else:
                    manifest.skipped.append(path.name)
        if not found:
            raise NettrusionError(
                f"{', '.join(map(str, places))}: no CSV with the columns {', '.join(sorted(self.needed))};"
                f" this loader reads {self.title}"
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """One chunk's rows that stay."""

    features: npt.NDArray[np.float32]
    label: list[str]
    time_ns: npt.NDArray[np.int64]
    tuple_key: npt.NDArray[np.uint64]
    pair_key: npt.NDArray[np.uint64]


@dataclass(slots=True)
class _Reading:
    """What is known between the chunks of one load."""

    release: Release
    feature_set: "FeatureSet"
    variant: str
    manifest: Manifest
    keep: dict[str, float] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    hosts_known: bool = True

    def file(self, path: Path) -> None:
        """Read one file, chunk by chunk."""
        rows = 0
        for frame in _chunks(path, None):
            rows += len(frame)
            self._chunk(frame, path)
        self.manifest.files.append(SourceFile(path.name, path.stat().st_size, sha256_of(path), rows))

    def _chunk(self, frame: "pd.DataFrame", path: Path) -> None:
        """Drop, sample, mend and convert one chunk."""
        frame = self._labelled(frame)
        if not len(frame):
            return
        key = _hash(frame, list(self.release.key or frame.columns))
        share = np.array([self.keep[normalise(name)] for name in frame[LABEL]], dtype=np.float64)
        sampled = (key / np.float64(2**64)) < share
        self.manifest.drop(BEYOND, int((~sampled).sum()))
        fresh = np.zeros(len(frame), dtype=bool)
        for row in np.flatnonzero(sampled):
            if int(key[row]) not in self.seen:
                self.seen.add(int(key[row]))
                fresh[row] = True
        self.manifest.drop(DUPLICATE if self.release.key else SAME_ROW, int((sampled & ~fresh).sum()))
        time_ns = np.full(len(frame), NO_TIME)
        time_ns[fresh] = self.release.times(frame[fresh], path, self.manifest)
        first, end = self.release.days or (NO_TIME + 1, np.iinfo(np.int64).max)
        timed = fresh & (time_ns >= first) & (time_ns < end)
        self.manifest.drop(NO_CLOCK, int((fresh & ~timed).sum()))
        if timed.any():
            self._take(frame[timed], time_ns[timed], key[timed], path)

    def _labelled(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return the rows with a label that is known, under headers without blanks."""
        frame = frame.rename(columns=lambda name: str(name).strip())
        empty = frame.isna().all(axis=1).to_numpy()
        again = (frame[LABEL] == LABEL).to_numpy() & ~empty
        self.manifest.drop(EMPTY, int(empty.sum()))
        self.manifest.drop(HEADER_AGAIN, int(again.sum()))
        frame = frame[~empty & ~again]
        names = frame[LABEL].astype(str)
        known = names.map(lambda name: rule_for(name) is not None).to_numpy(dtype=bool)
        attempted = names.map(is_attempted).to_numpy(dtype=bool)
        self.manifest.drop(ATTEMPTED, int(attempted.sum()))
        self.manifest.drop(UNKNOWN, int((~known & ~attempted).sum()))
        return frame[known].assign(**{LABEL: names[known]})

    def _take(
        self, frame: "pd.DataFrame", time_ns: npt.NDArray[np.int64], key: npt.NDArray[np.uint64], path: Path
    ) -> None:
        """Convert the rows that stay."""
        try:
            frame = self.release.mend(frame, self.manifest)
            columns: dict[str, npt.NDArray[Any]] = {name: frame[name].to_numpy() for name in frame.columns}
            features = self.feature_set.from_columns(columns, self.variant)
        except NettrusionError as problem:
            raise NettrusionError(f"{path}: {problem}") from problem
        ends = self.release.ends
        if ends.columns <= set(frame.columns):
            tuple_key, pair_key = _both_ways(frame, ends, ports=True), _both_ways(frame, ends, ports=False)
        else:
            self.hosts_known = False
            tuple_key, pair_key = key, _neighbours(frame, self.release.port, time_ns)
        names = [normalise(name) for name in frame[LABEL]]
        self.parts.append(_Part(features, names, time_ns, tuple_key, pair_key))


def _csvs(place: Path) -> list[Path]:
    return sorted(place.rglob("*.csv")) if place.is_dir() else [place] if place.suffix == ".csv" else []


def _chunks(path: Path, columns: "Callable[[str], bool] | None") -> Iterator["pd.DataFrame"]:
    """Yield a CSV as frames of at most CHUNK_ROWS rows."""
    import pandas as pd

    yield from pd.read_csv(
        path,
        chunksize=CHUNK_ROWS,
        usecols=columns,
        skipinitialspace=True,
        skip_blank_lines=False,
        encoding="utf-8",
        encoding_errors="replace",
        low_memory=False,
    )


def _count_labels(paths: Sequence[Path]) -> dict[str, int]:
    """Return how many rows each normalised label has over all files, duplicates included."""
    counts: dict[str, int] = {}
    for path in paths:
        for frame in _chunks(path, lambda name: name.strip() == LABEL):
            for label, rows in frame.iloc[:, 0].astype(str).value_counts().items():
                name = normalise(str(label))
                counts[name] = counts.get(name, 0) + int(rows)
    return counts


def _hash(frame: "pd.DataFrame", columns: list[str]) -> npt.NDArray[np.uint64]:
    """Return a 64-bit hash of some columns of each row that does not depend on the other rows."""
    import pandas as pd

    stable = pd.DataFrame(index=frame.index)
    for name in columns:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        text = bool((numbers.isna() & frame[name].notna()).any())
        stable[name] = frame[name].astype(str).astype(object) if text else numbers.astype(np.float64)
    return np.asarray(pd.util.hash_pandas_object(stable, index=False), dtype=np.uint64)


def _both_ways(frame: "pd.DataFrame", ends: Ends, *, ports: bool) -> npt.NDArray[np.uint64]:
    """Return a hash per row that does not depend on which end is the source."""
    sides = [[ends.hosts[side], *((ends.ports[side],) if ports else ())] for side in (0, 1)]
    with np.errstate(over="ignore"):
        total: npt.NDArray[np.uint64] = _hash(frame, sides[0]) + _hash(frame, sides[1])
        if ports:
            total = total + np.uint64(31) * _hash(frame, [ends.protocol])
    return total


def _neighbours(frame: "pd.DataFrame", port: str, time_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Return what stands for the pair of hosts where nobody tells them: a port in one hour."""
    import pandas as pd

    hours = pd.DataFrame({"port": frame[port].to_numpy(dtype=np.float64), "hour": time_ns // _HOUR_NS})
    return np.asarray(pd.util.hash_pandas_object(hours, index=False), dtype=np.uint64)


def _assemble(reading: _Reading, feature_names: tuple[str, ...]) -> FlowTable:
    """Join the chunks, oldest flow first, ties in file order; say in the manifest what releases they are of."""
    parts = reading.parts
    text = np.array([name for part in parts for name in part.label])
    labels = tuple(sorted(set(text.tolist())))
    time_ns = np.concatenate([part.time_ns for part in parts])
    by_year = reading.release.year_names
    years = time_ns.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970
    last = max(by_year)
    met = {year: by_year.get(year, by_year[last]) for year in np.unique(years).tolist()}
    reading.manifest.about.extend(dict.fromkeys(about for _, about in met.values()))
    sources = tuple(sorted({name for name, _ in met.values()}))
    place = {year: sources.index(name) for year, (name, _) in met.items()}
    table = FlowTable(
        features=np.concatenate([part.features for part in parts]),
        label=np.searchsorted(np.array(labels), text).astype(np.int16),
        time_ns=time_ns,
        tuple_key=np.concatenate([part.tuple_key for part in parts]),
        pair_key=np.concatenate([part.pair_key for part in parts]),
        weight=np.ones(len(text)),
        labels=labels,
        feature_names=feature_names,
        source=np.array([place[year] for year in years.tolist()], dtype=np.int64),
        sources=sources,
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
    factor = np.array([manifest.totals[n] / max(1, manifest.kept[n]) for n in table.labels])
    table.weight[:] = factor[table.label]
    return table
