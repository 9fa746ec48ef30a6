"""What a person reads of a run: the table of alerts while it goes on, and what was counted at its end."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sensor.cli.progress import printable, size_text

COLUMNS: Final = ("time (UTC)", "source", "destination", "sev", "score", "signature")
WIDTHS: Final = (23, 21, 21, 3, 5, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of the closing table.

    Attributes:
        captures: how many were read to their end.
        counters: the engine's, by name.
        reasons: those of them that say why a packet is in no flow.
        alerts: alert events.
        updates: further ones that say how many flows an alert stood for in the end.
        written: what the output counted (`lines`, `dropped_lines`).
        output: where it went.
        seconds: wall time of the reading, scoring and writing.
    """

    captures: int
    counters: Mapping[str, int]
    reasons: tuple[str, ...]
    alerts: int
    updates: int
    written: Mapping[str, int]
    output: str
    seconds: float


def heading() -> str:
    """Return the first line of the table of alerts."""
    return _row(COLUMNS)


def alert_lines(alert: Mapping[str, Any]) -> Iterator[str]:
    """Return one alert's lines: who, what and how sure, then the features that made it."""
    said = alert["alert"]
    facts = said["metadata"]
    flows = facts.get("ml_incident_flows")
    signature = said["signature"] + (f" ({flows[0]} flows)" if flows else "")
    yield _row(
        (
            alert["timestamp"][:23].replace("T", " "),
            _end(alert, "src"),
            _end(alert, "dest"),
            str(said["severity"]),
            f"{float(facts['ml_score'][0]):.3f}",
            signature,
        )
    )
    for reason in facts.get("ml_features", ()):
        yield f"    {printable(reason)}"


def summary(run: Run) -> Iterator[str]:
    """Return the closing table: packets, flows, alerts, what was left out and why, and the speed."""
    counters = run.counters
    packets = counters.get("packets", 0)
    left_out = {reason: counters.get(reason, 0) for reason in run.reasons}
    yield from _table(
        [
            ("captures", f"{run.captures:,}"),
            ("packets", f"{packets:,} ({size_text(counters.get('bytes', 0))} on the wire)"),
            ("flows", f"{counters.get('flows', 0):,}"),
            ("alerts", f"{run.alerts:,}" + (f" (and {run.updates:,} later counts)" if run.updates else "")),
            ("in no flow", f"{sum(left_out.values()):,} packets"),
            *((f"  {reason.replace('_', ' ')}", f"{count:,}") for reason, count in left_out.items() if count),
            ("evicted", f"{counters.get('evicted', 0):,} flows left early, the table being full"),
            ("events", f"{run.written.get('lines', 0):,} lines in {printable(run.output)}"),
            *_dropped(run.written.get("dropped_lines", 0)),
            ("speed", _speed(packets, run.seconds)),
        ]
    )


def _dropped(lines: int) -> list[tuple[str, str]]:
    return [("dropped", f"{lines:,} lines that the output did not take")] if lines else []


def _speed(packets: int, seconds: float) -> str:
    rate = f", {packets / seconds:,.0f} packets a second" if seconds > 0 else ""
    return f"{seconds:.2f} s{rate}"


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    return (f"{name:<{width}}  {value}" for name, value in rows)


def _end(event: Mapping[str, Any], side: str) -> str:
    """Return an endpoint as address:port, an IPv6 address short and in brackets, or `-`."""
    if f"{side}_ip" not in event:
        return "-"
    address = str(ipaddress.ip_address(event[f"{side}_ip"]))
    if f"{side}_port" not in event:
        return address
    return f"[{address}]:{event[f'{side}_port']}" if ":" in address else f"{address}:{event[f'{side}_port']}"


def _row(cells: Iterable[str]) -> str:
    return "  ".join(f"{printable(cell):<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
