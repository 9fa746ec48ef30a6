"""Small files in the shape of ISCXIDS2012's flow XML and CSV, made from a seed or from real flows.

Their shape is that of the published schema (ExampleDataFormat.xsd); what they contain is made up.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from sensor.features.records import records

ORDER = (
    "appName", "totalSourceBytes", "totalDestinationBytes", "totalDestinationPackets", "totalSourcePackets",
    "sourcePayloadAsBase64", "sourcePayloadAsUTF", "destinationPayloadAsBase64", "destinationPayloadAsUTF",
    "direction", "sourceTCPFlagsDescription", "destinationTCPFlagsDescription", "source", "protocolName",
    "sourcePort", "destination", "destinationPort", "startDateTime", "stopDateTime", "Tag",
)  # fmt: skip
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<dataroot xmlns:od="urn:schemas-microsoft-com:officedata"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:noNamespaceSchemaLocation="{tag}.xsd" generated="2012-02-01T00:00:00">\n'
)
SERVICES = ((80, "HTTPWeb", "tcp_ip"), (53, "DNS", "udp_ip"), (443, "SecureWeb", "tcp_ip"), (25, "SMTP", "tcp_ip"))
MONDAY = datetime(2010, 6, 14, 0, 1)


def rows(count: int, *, seed: int = 0, begin: datetime = MONDAY, attacks: float = 0.1) -> Iterator[dict[str, str]]:
    """Yield `count` made records: hosts of a lab that visit servers, a share of them attacks on one web server."""
    draw = random.Random(seed)
    at = begin
    for _ in range(count):
        at += timedelta(seconds=draw.expovariate(0.2))
        attack = draw.random() < attacks
        port, name, protocol = SERVICES[0] if attack else draw.choice(SERVICES)
        there, back = draw.randint(1, 40), draw.randint(0, 60)
        tcp = protocol == "tcp_ip"
        yield {
            "appName": name,
            "totalSourceBytes": str(there * draw.randint(64, 900)),
            "totalDestinationBytes": str(back * draw.randint(64, 1500)),
            "totalDestinationPackets": str(back),
            "totalSourcePackets": str(there),
            "direction": "R2L" if attack else "L2R",
            "sourceTCPFlagsDescription": "F,S,P,A" if tcp else "N/A",
            "destinationTCPFlagsDescription": ("S,P,A" if tcp and back else "N/A"),
            "source": "10.99.1.66" if attack else f"10.99.0.{draw.randint(1, 9)}",
            "protocolName": protocol,
            "sourcePort": str(draw.randint(1025, 65535)),
            "destination": f"10.98.0.{port % 7}",
            "destinationPort": str(port),
            "startDateTime": f"{at:%Y-%m-%dT%H:%M:%S}",
            "stopDateTime": f"{at + timedelta(seconds=draw.randint(0, 30)):%Y-%m-%dT%H:%M:%S}",
            "Tag": "Attack" if attack else "Normal",
        }


def of_flows(flows: np.ndarray, labels: Sequence[str], offset_s: int, *, seed: int = 0) -> list[dict[str, str]]:
    """Return flows (FLOW_DTYPE) as another program's records of them: its own clock, its own cuts, its own ends.

    Every seventh flow is cut in two records, every fifth record names the ends the other way round, one
    flow in eleven is in no record.
    """
    moved = flows.copy()
    for name in ("start_ns", "end_ns"):
        moved[name] = (moved[name].astype(np.int64) + offset_s * 10**9).astype(moved[name].dtype)
    columns = {name: list(values) for name, values in records(moved).items() if name in ORDER}
    found = []
    for place, label in enumerate(labels):
        row = {name: str(values[place]) for name, values in columns.items()}
        row["Tag"] = "Normal" if label == "benign" else "Attack"
        if place % 11 == 10:
            continue
        if place % 5 == 4:
            swap = row | {"source": row["destination"], "destination": row["source"]}
            row = swap | {"sourcePort": row["destinationPort"], "destinationPort": row["sourcePort"]}
        if place % 7 == 6:
            times = [datetime.fromisoformat(row[name]) for name in ("startDateTime", "stopDateTime")]
            middle = (times[0] + (times[1] - times[0]) / 2).replace(microsecond=0).isoformat()
            found.append(row | {"stopDateTime": middle})
            row = row | {"startDateTime": middle}
        found.append(row)
    random.Random(seed).shuffle(found)
    return found


def write_xml(
    path: Path,
    made: Iterable[dict[str, str]],
    *,
    tag: str = "TestbedMonJun14Flows",
    payload: bytes = b"",
    end: str = "",
) -> Path:
    """Write records as XML, each with the payload (bytes of XML) where the original has its; `end` before the root's.

    A record's own key `""` is its tag if it has one.
    """
    with path.open("wb") as stream:
        stream.write(HEAD.format(tag=tag).encode())
        for row in made:
            own = row.get("", tag).encode()
            stream.write(b"<" + own + b">\n")
            for name in ORDER:
                key = name.encode()
                if "Payload" in name:
                    stream.write(b"<" + key + b">" + payload + b"</" + key + b">\n")
                elif name in row:
                    stream.write(b"<" + key + b">" + escape(row[name]).encode() + b"</" + key + b">\n")
            stream.write(b"</" + own + b">\n")
        stream.write(end.encode() + b"</dataroot>\n")
    return path


def write_csv(path: Path, made: Iterable[dict[str, str]], *, payload: str = "") -> Path:
    """Write records as CSV, headed by the names of the XML's elements."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        sheet = csv.DictWriter(stream, ORDER, restval="")
        sheet.writeheader()
        for row in made:
            sheet.writerow(row | {name: payload for name in ORDER if "Payload" in name})
    return path
