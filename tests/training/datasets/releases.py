"""CSVs in the shapes of the first releases, made here: no excerpt of CSE-CIC-IDS2018 is at hand."""

import csv
from collections.abc import Sequence
from pathlib import Path

from tests.training import made

Row = dict[str, object]


def headers(release: str) -> list[str]:
    """Return the feature columns of a release (`cicids2017`, `cse2018`) as published, blanks and all."""
    return [feature.columns[release] for feature in made.feature_set().features if release in feature.columns]


def original(number: int, label: str, **values: object) -> Row:
    """Return a row of GeneratedLabelledFlows by its headers; `values` replace columns, `_` for a blank."""
    first = {
        "Flow ID": f"192.168.10.5-104.16.1.1-{number}-443-6",
        " Source IP": "192.168.10.5",
        " Source Port": number,
        " Destination IP": "104.16.1.1",
        " Destination Port": 443,
        " Protocol": 6,
        " Timestamp": "7/7/2017 3:30",
    }
    return _replaced(first | _ones("cicids2017", number, first) | {" Label": label}, values)


def first_of_2018(number: int, label: str, **values: object) -> Row:
    """Return a row of the 80 columns of CSE-CIC-IDS2018."""
    first = {"Dst Port": 443, "Protocol": 6, "Timestamp": "14/02/2018 10:32:23"}
    return _replaced(first | _ones("cse2018", number, first) | {"Label": label}, values)


def empty(row: Row) -> Row:
    """Return a row of the same columns with nothing in them."""
    return dict.fromkeys(row, "")


def write(path: Path, rows: Sequence[Row], again: Sequence[str] = (), encoding: str = "utf-8") -> Path:
    """Write rows as a CSV; `again` are columns that stand there a second time, before the label."""
    *names, label = rows[0]
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, *again, label])
        writer.writerows([[row[name] for name in (*names, *again, label)] for row in rows])
    return path


def _ones(release: str, number: int, first: Row) -> Row:
    own = [name for name in headers(release) if name not in first]
    ones: Row = dict.fromkeys(own, 1)
    return ones | {own[0]: number}


def _replaced(row: Row, values: dict[str, object]) -> Row:
    by_word = {name.strip().replace(" ", "_").replace("/", "_"): name for name in row}
    return row | {by_word[word]: value for word, value in values.items()}
