"""classification.config and reference.config: the words that rules may name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sensor.rulebook.faults import Fault
from sensor.rulebook.lines import read_text
from sensor.rulebook.throttle import read_number

_CLASSTYPE = re.compile(r"[A-Za-z0-9_-]+")
MAX_PRIORITY = 255


@dataclass(frozen=True, slots=True)
class Classtype:
    """What a classtype says in an alert, and how urgent its rules are unless they say so themselves."""

    category: str
    priority: int


@dataclass(frozen=True, slots=True)
class Tables:
    """Classtypes by their short names, and address prefixes of reference systems by lower-case names."""

    classtypes: Mapping[str, Classtype] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)


def read_tables(directory: Path) -> tuple[Tables, list[Fault]]:
    """Read both files of a folder; one that is missing is empty. Of a name given twice the last counts."""
    classtypes: dict[str, Classtype] = {}
    references: dict[str, str] = {}
    faults: list[Fault] = []
    for name, keyword in (("classification.config", "classification"), ("reference.config", "reference")):
        path = directory / name
        if not path.is_file():
            continue
        try:
            text = read_text(path)
        except ValueError as error:
            faults.append(Fault(str(path), 0, str(error)))
            continue
        for line, value in _entries(text, keyword):
            try:
                if keyword == "classification":
                    short, classtype = _classtype(value)
                    classtypes[short] = classtype
                else:
                    system, prefix = _reference(value)
                    references[system] = prefix
            except ValueError as error:
                faults.append(Fault(str(path), line, str(error)))
    return Tables(classtypes, references), faults


def _entries(text: str, keyword: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what stands after `config KEYWORD:`); the whole line where that is not there."""
    start = re.compile(rf"config\s+{keyword}\s*:")
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip()
        if words and not words.startswith("#"):
            match = start.match(words)
            yield number, words[match.end() :].strip() if match else f"\0{words}"


def _classtype(value: str) -> tuple[str, Classtype]:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 3 or not _CLASSTYPE.fullmatch(parts[0]) or not parts[1]:
        shown = value.lstrip("\0")
        raise ValueError(f"{shown!r}: write it as config classification: short-name,description,priority")
    return parts[0], Classtype(parts[1], read_number(parts[2], "priority", 1, MAX_PRIORITY))


def _reference(value: str) -> tuple[str, str]:
    parts = value.split()
    if len(parts) != 2 or value.startswith("\0"):
        shown = value.lstrip("\0")
        raise ValueError(f"{shown!r}: write it as config reference: system address")
    return parts[0].lower(), parts[1]
