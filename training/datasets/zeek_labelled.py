"""Labelled connection logs of Zeek: `conn.log.labeled` of Stratosphere's captures, or any conn.log with a label.

Tab-separated with `#fields`, or a JSON object a line. The log has a column `label`, and mostly a second one that
says more. Where the labels were added later they stand in one last column together with the tunnel's parents,
blanks between them, and so do their names. Columns: https://docs.zeek.org/en/master/scripts/base/protocols/conn.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sensor.errors import NettrusionError
from sensor.flows import State
from training.datasets.conversations import packed
from training.datasets.flow_rows import ACK, FIN, ICMP, PSH, RST, SYN, LabelledFlows, Row, assemble, joined
from training.datasets.labels import CLASSES, MALICIOUS, normalise, rule_for
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.table import Loaded
from training.testbed.packets import PROTOCOLS

if TYPE_CHECKING:
    from sensor.features import FeatureSet

NAME = "zeek conn.log"
LABEL, DETAILS = "label", ("detailed-label", "detailedlabel", "detailed_label")
NEEDED = ("ts", "uid", "id.orig_h", "id.resp_h", "proto", LABEL)
LABEL_RULE = (
    "conn.log: the column label says benign or malicious; the detailed label, by the words in it, which class;"
    " malicious of no known class is tested, never learnt; background and unknown are no labels"
)
ABOUT = "labelled connection logs of Zeek"
CUT = "records: a line that is cut short or has no numbers where they should be"
_NO_NUMBERS = "unset counts of packets or bytes: taken as 0"
_NUMBERS = {name: number for number, name in PROTOCOLS.items()} | {"icmp6": 58, "sctp": 132}
_HEAD_LINES, _HEAD_BYTES = 40, 65_536
_UNSET = ("-", "(empty)", "")
_FLAGS = {"s": SYN, "h": SYN | ACK, "f": FIN, "r": RST, "a": ACK, "d": PSH | ACK}
_BENIGN = frozenset({"benign", "normal", "from_benign"})
_UNKNOWN = frozenset({"background", "unknown", "", "-", "(empty)"})
# What a detailed label speaks of, the first that fits: the names of Stratosphere's labels, and of others.
_WORDS = (
    ("scan", re.compile(r"scan|sweep|reconn", re.I)),
    ("exfiltration", re.compile(r"exfil", re.I)),
    ("ddos", re.compile(r"ddos", re.I)),
    ("slowdos", re.compile(r"slow", re.I)),
    ("dos", re.compile(r"(?<![a-z])dos(?![a-z])|flood", re.I)),
    ("bruteforce", re.compile(r"brute|password|guess", re.I)),
    ("tunnel", re.compile(r"tunnel", re.I)),
    ("lateral", re.compile(r"lateral", re.I)),
    ("web", re.compile(r"sql|xss|injection|web", re.I)),
    (
        "bot",
        re.compile(r"c&c|(?<![a-z])cc(?![a-z])|c2|heartbeat|bot|torii|mirai|okiru|rat(?![a-z])|malware|download", re.I),
    ),
)


def find(place: Path) -> list[Path]:
    """Return the labelled logs below a folder, or the file itself if it is one, sorted; known by their heads."""
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if path.is_file() and _columns(path))
    return [place] if place.is_file() and _columns(place) else []


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read labelled logs into one table; every log is an episode.

    Args:
        places: folders or logs.
        feature_set: `iscx2012`; a log knows too little for any other.
        variant: the formulas to use.
        row_limit: of a label with more records than this, so many are kept, evenly spread. Weights undo it.

    Raises:
        NettrusionError: there is no such log, no record of it has a label, or it cannot feed the feature set.
    """
    manifest = Manifest(label_rule=LABEL_RULE, errata=[])
    table = read(places).table(NAME, feature_set, variant, row_limit, manifest)
    return Loaded(table, manifest)


def read(places: Sequence[Path]) -> LabelledFlows:
    """Return the records of labelled logs; raises NettrusionError where there is none."""
    paths = [path for place in places for path in find(place)]
    if not paths:
        raise NettrusionError(
            f"{', '.join(map(str, places))}: no labelled conn.log; one has the columns {', '.join(NEEDED)}"
        )
    return joined([_read(path) for path in paths])


def class_of(label: str, detail: str) -> str:
    """Return the label of `labels.RULES` that a log's two labels mean, empty where nobody knows."""
    plain = normalise(label)
    if plain in _UNKNOWN:
        return ""
    if plain in _BENIGN:
        return CLASSES[0]
    for said in (detail, label):
        rule = rule_for(said)
        if rule is not None and rule.label not in (CLASSES[0], MALICIOUS):
            return rule.label
        found = next((name for name, words in _WORDS if words.search(said)), "")
        if found:
            return found
    return MALICIOUS


def _read(path: Path) -> LabelledFlows:
    rows: list[Row] = []
    labels: list[str] = []
    cut = unset = 0
    for record in _records(path):
        if record is None:
            cut += 1
            continue
        try:
            row, missing = _row(record)
        except (ValueError, KeyError, TypeError, OverflowError):
            cut += 1
            continue
        rows.append(row)
        unset += missing
        detail = next((str(record[name]) for name in DETAILS if name in record), "")
        labels.append(class_of(str(record.get(LABEL, "")), detail))
    order = np.argsort([row.end_ns for row in rows], kind="stable")
    flows = assemble([rows[place] for place in order])
    source = SourceFile(path.name, path.stat().st_size, sha256_of(path), len(rows))
    return LabelledFlows(
        flows,
        np.array(labels, dtype=str)[order],
        np.zeros(len(rows), dtype=np.int64),
        [source],
        about=[ABOUT],
        dropped={CUT: cut} if cut else {},
        mended={_NO_NUMBERS: unset} if unset else {},
    )


def _row(record: Mapping[str, Any]) -> tuple[Row, int]:
    """Return a record as a row, and how many of its counts were unset; raises ValueError for what is none."""
    begun = round(float(record["ts"]) * 1e6) * 1000
    span = _number(record, "duration", float) or 0.0
    counts = [_number(record, f"{side}_{what}", int) for what in ("pkts", "ip_bytes") for side in ("orig", "resp")]
    pkts_to, pkts_back, bytes_to, bytes_back = (count or 0 for count in counts)
    proto = _NUMBERS.get(str(record["proto"]), 0)
    ports = (_number(record, "id.orig_p", int) or 0, _number(record, "id.resp_p", int) or 0)
    history = str(record.get("history") or "")
    closed = str(record.get("conn_state") or "") in ("SF", "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH")
    return Row(
        flow_id=_flow_id(str(record["uid"])),
        start_ns=begun,
        end_ns=begun + round(max(0.0, span) * 1e6) * 1000,
        ends=(packed(str(record["id.orig_h"])), packed(str(record["id.resp_h"]))),
        # Zeek puts type and code of ICMP where ports stand.
        ports=(0, 0) if proto in ICMP else ports,
        proto=proto,
        pkts=(pkts_to, pkts_back),
        ip_bytes=(bytes_to, bytes_back),
        flags=(_flags(history, upper=True), _flags(history, upper=False)) if proto == 6 else (0, 0),
        icmp=ports if proto in ICMP else (-1, -1),
        state=State.CLOSED if closed else State.ESTABLISHED if pkts_back else State.NEW,
    ), sum(count is None for count in counts)


def _flags(history: str, *, upper: bool) -> int:
    """Return the TCP flags of one side: capitals are the originator's, small letters the responder's."""
    found = 0
    for letter in history:
        if letter.isupper() == upper:
            found |= _FLAGS.get(letter.lower(), 0)
    return found


def _flow_id(uid: str) -> int:
    """Return a number below 2^51 that stands for a connection's name."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:8], "big") >> 13


def _number(record: Mapping[str, Any], name: str, kind: type[float] | type[int]) -> Any:
    """Return a number of a record, None where it is unset; raises ValueError for what is none or negative."""
    value = record.get(name)
    if value is None or value in _UNSET:
        return None
    number = kind(value)
    if not 0 <= number < 1 << 62:
        raise ValueError(f"{name} is {value}")
    return number


def _records(path: Path) -> Iterator[dict[str, Any] | None]:
    """Yield the records of a log, None for a line that is no whole one."""
    fields: list[str] = []
    separator = "\t"
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            line = line.rstrip("\r\n")
            if line.startswith("#separator"):
                separator = _separator(line)
            elif line.startswith("#fields"):
                fields = _names(line, separator)
            elif not line or line.startswith("#"):
                continue
            elif line.startswith("{"):
                yield _json(line)
            else:
                values = _values(line, separator, len(fields))
                yield dict(zip(fields, values, strict=True)) if fields and len(values) == len(fields) else None


def _names(line: str, separator: str) -> list[str]:
    """Return the columns that a `#fields` line names, those apart that share the last one."""
    names = line.split(separator)[1:]
    return [*names[:-1], *names[-1].split()] if names else []


def _values(line: str, separator: str, count: int) -> list[str]:
    """Return the values of a line, those apart that share the last column."""
    values = line.split(separator)
    if len(values) < count:
        values = [*values[:-1], *values[-1].split(None, count - len(values))]
    return values


def _separator(line: str) -> str:
    said = line.split(None, 1)[-1]
    return bytes.fromhex(said[2:]).decode() if re.fullmatch(r"\\x[0-9a-fA-F]{2}", said) else "\t"


def _json(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _columns(path: Path) -> bool:
    """Return whether a file is a connection log with labels, by its first lines."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return False
    separator = "\t"
    for line in head.splitlines()[:_HEAD_LINES]:
        if line.startswith("#separator"):
            separator = _separator(line)
        elif line.startswith("#fields"):
            return set(_names(line, separator)) >= set(NEEDED)
        elif line.startswith("{"):
            return set(_json(line) or ()) >= set(NEEDED)
        elif line and not line.startswith("#"):
            return False
    return False
