"""What a data set was made from: files, hashes, label rule, errata, rows dropped and why."""

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that was read: its name (no folder), bytes, sha256 and how many rows it held."""

    name: str
    bytes: int
    sha256: str
    rows: int


@dataclass(slots=True)
class Manifest:
    """The data set's passport; it travels in the run folder and, shortened, in the bundle.

    `about` says in a sentence each what the data is. `dropped` counts rows by reason, `mended` the
    rows that stay and had a value put right, by what was wrong; `skipped` names files that are no
    labelled flow table,
    `totals` is how many flows the full data set has per label where a README of the folder or
    the loader's own sampling says so, `kept` how many rows of each label are in the table.
    """

    label_rule: str
    errata: list[str]
    files: list[SourceFile] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    about: list[str] = field(default_factory=list)
    mended: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str, rows: int) -> None:
        """Count rows that do not enter the table."""
        if rows:
            self.dropped[reason] = self.dropped.get(reason, 0) + int(rows)

    def mend(self, flaw: str, rows: int) -> None:
        """Count rows that stay although something in them was wrong."""
        if rows:
            self.mended[flaw] = self.mended.get(flaw, 0) + int(rows)

    def joined(self, other: "Manifest") -> "Manifest":
        """Return the manifest of two data sets that were put together."""
        rules = [rule for rule in (self.label_rule, other.label_rule) if rule]
        return Manifest(
            label_rule="; ".join(dict.fromkeys(rules)),
            errata=[*self.errata, *other.errata],
            files=[*self.files, *other.files],
            skipped=[*self.skipped, *other.skipped],
            dropped=_summed(self.dropped, other.dropped),
            totals=_summed(self.totals, other.totals),
            kept=_summed(self.kept, other.kept),
            about=[*self.about, *other.about],
            mended=_summed(self.mended, other.mended),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that json can write."""
        return asdict(self)


def _summed(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
