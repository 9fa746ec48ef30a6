"""Our own eve.json with what an analyst said of its flows: what a detector is worth on the spot.

A verdict stands in an event, `metadata.nettrusion_verdict`, or in a table `verdicts.tsv` beside the file with the
columns `flow_id` and `verdict`. It is `true_positive` (the class is the one that the detector gave),
`false_positive`, `benign`, or a class by its name. It is about the flow with that flow_id, all of its records;
what has none is no evidence of anything, and counted. Other sensors' EVE serves as well, without scores.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from sensor.errors import NettrusionError
from sensor.flows import State
from training.datasets.conversations import packed
from training.datasets.flow_rows import FRAME_BYTES, LabelledFlows, Row, assemble, joined
from training.datasets.labels import CLASSES, MALICIOUS, rule_for
from training.datasets.manifest import Manifest, SourceFile, sha256_of
from training.datasets.table import Loaded

if TYPE_CHECKING:
    from sensor.features import FeatureSet

NAME = "eve.json with verdicts"
TABLE = "verdicts.tsv"
KEY = "nettrusion_verdict"
COLUMNS = frozenset({"flow_id", "verdict"})
TRUE, FALSE = "true_positive", "false_positive"
LABEL_RULE = (
    "eve.json: what an analyst said of the flow_id; true_positive is the class that the detector gave, malicious"
    " where it gave none"
)
ABOUT = "flows of the operator's own network with an analyst's verdicts"
CUT = "events: a line that is no event, or one without what a flow has"
TWO_VERDICTS = "records: two verdicts on one flow that contradict each other"
NOWHERE = "verdicts on a flow that no event is about"
FROM_ALERT = "flows without a flow event: taken from their alert, without flags and end"
_PROTOCOLS = {"TCP": 6, "UDP": 17, "ICMP": 1, "IPv6-ICMP": 58, "SCTP": 132}
_STATES = {"new": State.NEW, "established": State.ESTABLISHED, "closed": State.CLOSED}
_VLAN_BYTES = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD_BYTES = 65_536
_GZIP = b"\x1f\x8b"


def find(place: Path) -> list[Path]:
    """Return the EVE files with verdicts below a folder, or the file itself if it is one, sorted.

    A file has verdicts when a table lies beside it, or an event of its own has one.
    """
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if path.is_file() and _is_eve(path) and _has_verdicts(path))
    return [place] if place.is_file() and _is_eve(place) and _has_verdicts(place) else []


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> Loaded:
    """Read flows with verdicts into one table; every file is an episode.

    Args:
        places: folders or EVE files.
        feature_set: `iscx2012`; an event knows too little for any other.
        variant: the formulas to use.
        row_limit: of a label with more records than this, so many are kept, evenly spread. Weights undo it.

    Raises:
        NettrusionError: there is no such file, no flow of it has a verdict, or it cannot feed the feature set.
    """
    manifest = Manifest(label_rule=LABEL_RULE, errata=[])
    table = read(places).table(NAME, feature_set, variant, row_limit, manifest)
    return Loaded(table, manifest)


def read(places: Sequence[Path], verdicts: Path | None = None) -> LabelledFlows:
    """Return the flows of EVE files with verdicts and the scores that were recorded.

    Args:
        places: folders or files; with `verdicts` given, files that have none themselves too.
        verdicts: a table of verdicts; None: the ones beside the files.

    Raises NettrusionError where there is no such file, and for a verdict that is none.
    """
    paths = [
        path for place in places for path in ([place] if verdicts is not None and place.is_file() else find(place))
    ]
    if not paths:
        raise NettrusionError(
            f"{', '.join(map(str, places))}: no eve.json with verdicts; put {TABLE} with flow_id and verdict beside it"
        )
    return joined([_read(path, verdicts) for path in paths])


def label_of(verdict: str, given: str, where: str) -> str:
    """Return the label of `labels.RULES` that a verdict means.

    Args:
        verdict: what the analyst said.
        given: the class that the detector gave the flow, empty for none.
        where: file and flow, for the message.

    Raises NettrusionError for what is neither a verdict nor a class.
    """
    said = verdict.strip().lower()
    if said in (FALSE, CLASSES[0]):
        return CLASSES[0]
    if said == TRUE:
        rule = rule_for(given)
        return MALICIOUS if rule is None or rule.label == CLASSES[0] else rule.label
    rule = rule_for(said)
    if rule is None:
        raise NettrusionError(
            f"{where}: {verdict!r} is no verdict; say {TRUE}, {FALSE}, or a class: {', '.join(CLASSES)}"
        )
    return rule.label


class _Reader:
    """What the events of one file say, by flow."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.scores: list[float] = []
        self.given: dict[int, str] = {}
        self.verdicts: dict[int, set[str]] = {}
        self.alerts: dict[int, tuple[Row, float]] = {}
        self.cut = 0

    def take(self, line: bytes) -> None:
        """Take one line; what is no event is counted."""
        try:
            event = json.loads(line)
            kind = event["event_type"]
        except (ValueError, KeyError, TypeError):
            self.cut += 1
            return
        if kind not in ("flow", "alert"):
            return
        try:
            row, score = _row(event), _score(event)
        except (ValueError, KeyError, TypeError, OverflowError):
            self.cut += 1
            return
        if kind == "flow":
            self.rows.append(row)
            self.scores.append(score)
        else:
            self.alerts.setdefault(row.flow_id, (row, score))
        if given := _class(event):
            self.given[row.flow_id] = given
        said = (event.get("metadata") or {}).get(KEY)
        for one in said if isinstance(said, list) else [said] if said else []:
            self.verdicts.setdefault(row.flow_id, set()).add(str(one))

    def add_alerts(self) -> int:
        """Take the flows that only an alert tells of; return how many."""
        known = {row.flow_id for row in self.rows}
        alone = [found for flow_id, found in self.alerts.items() if flow_id not in known]
        self.rows += [row for row, _ in alone]
        self.scores += [score for _, score in alone]
        return len(alone)


def _read(path: Path, verdicts: Path | None) -> LabelledFlows:
    reader = _Reader()
    with _opened(path) as stream:
        for line in stream:
            if line.strip():
                reader.take(line)
    alone = reader.add_alerts()
    table = verdicts or path.with_name(TABLE)
    if table.is_file():
        for flow_id, said in _table(table):
            reader.verdicts.setdefault(flow_id, set()).add(said)
    elif verdicts is not None:
        raise NettrusionError(f"{verdicts}: no such file; give a table with flow_id and verdict")
    labels: dict[int, str] = {}
    contradicted = set()
    for flow_id, saids in reader.verdicts.items():
        meant = {label_of(one, reader.given.get(flow_id, ""), f"{path}: flow {flow_id}") for one in saids}
        if len(meant) == 1:
            labels[flow_id] = meant.pop()
        else:
            contradicted.add(flow_id)
    ids = {row.flow_id for row in reader.rows}
    counted = {
        CUT: reader.cut,
        TWO_VERDICTS: sum(row.flow_id in contradicted for row in reader.rows),
        NOWHERE: len(reader.verdicts.keys() - ids),
    }
    order = np.argsort([row.end_ns for row in reader.rows], kind="stable").tolist()
    rows = [reader.rows[place] for place in order]
    return LabelledFlows(
        assemble(rows),
        np.array([labels.get(row.flow_id, "") for row in rows], dtype=str),
        np.zeros(len(rows), dtype=np.int64),
        [SourceFile(path.name, path.stat().st_size, sha256_of(path), len(rows))],
        score=np.array([reader.scores[place] for place in order]),
        about=[ABOUT],
        dropped={reason: count for reason, count in counted.items() if count},
        mended={FROM_ALERT: alone} if alone else {},
    )


def _row(event: Mapping[str, Any]) -> Row:
    """Return what an event says of its flow; raises KeyError or ValueError where something is missing."""
    flow, tcp = event["flow"], event.get("tcp") or {}
    tags = len(event.get("vlan") or ())
    pkts = (int(flow["pkts_toserver"]), int(flow["pkts_toclient"]))
    frames = (int(flow["bytes_toserver"]), int(flow["bytes_toclient"]))
    link = FRAME_BYTES + _VLAN_BYTES * tags
    proto = str(event["proto"])
    return Row(
        flow_id=int(event["flow_id"]),
        start_ns=_ns(flow["start"]),
        end_ns=_ns(flow.get("end") or event["timestamp"]),
        ends=(packed(str(event["src_ip"])), packed(str(event["dest_ip"]))),
        ports=(int(event.get("src_port", 0)), int(event.get("dest_port", 0))),
        proto=_PROTOCOLS[proto] if proto in _PROTOCOLS else int(proto),
        pkts=pkts,
        ip_bytes=(max(0, frames[0] - link * pkts[0]), max(0, frames[1] - link * pkts[1])),
        flags=(int(tcp.get("tcp_flags_ts", "0"), 16), int(tcp.get("tcp_flags_tc", "0"), 16)),
        icmp=(int(event.get("icmp_type", -1)), int(event.get("icmp_code", -1))),
        state=_STATES.get(str(flow.get("state")), State.ESTABLISHED),
    )


def _score(event: Mapping[str, Any]) -> float:
    """Return the score that was recorded, 0 to 1, NaN for none."""
    score = ((event.get("metadata") or {}).get("flowints") or {}).get("ml_score")
    return float("nan") if score is None else int(score) / 1000


def _class(event: Mapping[str, Any]) -> str:
    """Return the class that the detector gave a flow at or above its threshold, empty for none."""
    bits = (event.get("metadata") or {}).get("flowbits") or ()
    return next((str(bit).removeprefix("ml.") for bit in bits if str(bit).startswith("ml.")), "")


def _ns(time: str) -> int:
    """Return an EVE timestamp as ns since 1970."""
    return (datetime.fromisoformat(time) - _EPOCH) // timedelta(microseconds=1) * 1000


def _table(path: Path) -> Iterator[tuple[int, str]]:
    """Yield flow and verdict of every row of a table; rows without a verdict are passed over."""
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        if missing := COLUMNS - set(reader.fieldnames or ()):
            raise NettrusionError(f"{path}: no column {', '.join(sorted(missing))}")
        for number, row in enumerate(reader, 2):
            if not (row["verdict"] or "").strip():
                continue
            try:
                yield int(row["flow_id"]), row["verdict"]
            except (ValueError, TypeError) as problem:
                raise NettrusionError(f"{path}: row {number}: flow_id {row['flow_id']!r} is no number") from problem


def _opened(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")


def _is_eve(path: Path) -> bool:
    """Return whether the first line of a file is an EVE event."""
    try:
        with _opened(path) as stream:
            line = stream.readline(_HEAD_BYTES)
        return line.startswith(b"{") and "event_type" in json.loads(line)
    except (OSError, EOFError, ValueError):
        return False


def _has_verdicts(path: Path) -> bool:
    if path.with_name(TABLE).is_file():
        return True
    with _opened(path) as stream:
        return any(KEY.encode() in line for line in stream)
