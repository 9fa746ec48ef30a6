"""The golden captures and the rows that CICFlowMeter itself computed for them."""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sensor.flows.reference import Strict

CAPTURES = ("mix5k", "mix20k")
FILES: Mapping[Strict, str] = {"cns22": "cns22", "fork": "fork", "legacy": "v2017"}
TEXT_COLUMNS = ("Flow ID", "Src IP", "Dst IP", "Timestamp", "Label")
RELATIVE = 1e-6
LATER_HEADERS = {
    "Fwd RST Flags": "fwd_rst_flags",
    "Bwd RST Flags": "bwd_rst_flags",
    "Bwd Act Data Pkts": "bwd_act_data_pkts",
    "Bwd Seg Size Min": "bwd_seg_size_min",
    "ICMP Code": "icmp_code",
    "ICMP Type": "icmp_type",
    "Fwd TCP Retrans. Count": "fwd_tcp_retrans",
    "Bwd TCP Retrans. Count": "bwd_tcp_retrans",
    "Total TCP Retrans. Count": "total_tcp_retrans",
    "Total Connection Flow Time": "total_conn_flow_time",
    "Total TCP Flow Time": "total_tcp_flow_time",
}

Name = tuple[str, str, str, str]
Row = tuple[float, ...]
Table = dict[Name, list[Row]]


@dataclass(frozen=True, slots=True)
class Golden:
    """One golden CSV: its numeric columns under two names, in order, and its rows by flow."""

    headers: tuple[str, ...]
    snake: tuple[str, ...]
    table: Table


def load(folder: Path, capture: str, variant: Strict) -> Golden:
    """Read one golden CSV.

    A flow's name is (Flow ID, source, destination, start); start is text, to the microsecond, or
    to the second of a 12-hour clock in ``legacy``, where several flows may share one name.
    """
    columns = json.loads((folder / "cic_features.json").read_text(encoding="utf-8"))
    scheme = "cse2018" if variant == "legacy" else "current"
    snake = {column[scheme]: column["snake"] for column in columns} | LATER_HEADERS
    table: Table = defaultdict(list)
    path = folder / f"{capture}.{FILES[variant]}.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        headers = [name for name in reader.fieldnames or () if name not in TEXT_COLUMNS]
        for line in reader:
            start = line["Timestamp"]
            if variant != "legacy":
                whole, _, fraction = start.partition(".")
                start = f"{whole}.{fraction:0<6}"
            name = (line["Flow ID"], line["Src IP"], line["Dst IP"], start)
            table[name].append(tuple(float(line[header]) for header in headers))
    return Golden(tuple(headers), tuple(snake[header] for header in headers), table)


def start_text(start_ns: int, variant: Strict) -> str:
    """Return a start time as the golden rows of a variant write it."""
    moment = datetime.datetime.fromtimestamp(start_ns // 1_000_000_000, datetime.UTC)
    if variant == "legacy":
        return moment.strftime("%d/%m/%Y %I:%M:%S")
    return f"{moment:%Y-%m-%d %H:%M:%S}.{start_ns // 1000 % 1_000_000:06d}"


def same(left: float, right: float) -> bool:
    """Whether two cells are equal: both NaN, or within the relative tolerance."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or abs(left - right) <= RELATIVE * max(abs(left), abs(right))


def differences(names: Sequence[str], golden: Table, ours: Table) -> list[str]:
    """Compare two tables as multisets of rows and say what differs; empty when nothing does."""
    told = [f"not made: {name}" for name in golden if name not in ours]
    told += [f"made too much: {name}" for name in ours if name not in golden]
    cells: Counter[str] = Counter()
    example: dict[str, str] = {}
    for name in golden.keys() & ours.keys():
        if len(golden[name]) != len(ours[name]):
            told.append(f"{name}: {len(ours[name])} rows, not {len(golden[name])}")
        for theirs, mine in zip(sorted(golden[name]), sorted(ours[name]), strict=False):
            for column, left, right in zip(names, theirs, mine, strict=True):
                if not same(left, right):
                    cells[column] += 1
                    example.setdefault(column, f"{name}: {right}, not {left}")
    return told + [f"{column}: {count} cells, {example[column]}" for column, count in cells.items()]


def dotted(address: Iterable[int]) -> str:
    """Write an IPv4 address."""
    return ".".join(map(str, address))
