"""One event of ours, read back: a flow with its score, an alert, or the reason why it is neither.

Events are input like any other: each value is of its type and within its range, or the line is damaged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final

from sensor.eve.columns import PROTOCOLS
from sensor.flows import Reason, State

NUMBERS: Final = {name: number for number, name in PROTOCOLS.items()}
STATES: Final = {"new": State.NEW, "established": State.ESTABLISHED, "closed": State.CLOSED}
REASONS: Final = {
    "timeout": Reason.IDLE,
    "forced": Reason.EVICTED,
    "shutdown": Reason.SHUTDOWN,
    "tcp_reuse": Reason.REUSE,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICRO_NS: Final = 1000

Values = tuple[Any, ...]


class Unusable(Exception):
    """An event that is whole and of no use here; the words say why, as a name to count it under."""


@dataclass(frozen=True, slots=True)
class Event:
    """What one line says.

    `values` are those of a ROW without its segment; an alert counts as a look at a flow that goes on, since the one
    that it was written for may have scored higher then than at its end. `alert` is the class alerted on, None for a
    flow. `capture` is the file it was seen in.
    """

    time_ns: int
    values: Values
    alert: str | None
    capture: str | None


def read_event(line: bytes, model: int, model_name: str, classes: Sequence[str]) -> Event:
    """Read one line.

    Args:
        line: JSON, without the newline.
        model: the mark of the model (`sensor.scoring.model_mark`) whose scores are wanted.
        model_name: its name and version.
        classes: its classes; an event names one by its place.

    Raises:
        Unusable: an event of another kind, of another model, or without a score.
        ValueError: no event, with the reason.
    """
    try:
        event = json.loads(line)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    kind = _of(event, "event_type", str)
    if kind not in ("flow", "alert"):
        raise Unusable("of other kinds")
    ints = event.get("metadata", {})
    ints = ints.get("flowints", {}) if isinstance(ints, dict) else {}
    if not isinstance(ints, dict) or "ml_score_ppm" not in ints:
        raise Unusable(
            "later words on alerts" if kind == "alert" and _is_ours(event, model_name) else "without a score"
        )
    if ints.get("ml_model") != model:
        raise Unusable("of another model")
    ppm, class_index = _count(ints, "ml_score_ppm", 1_000_000), _count(ints, "ml_class", len(classes) - 1)
    capture = event.get("pcap_filename")
    capture = capture if isinstance(capture, str) else None
    time_ns = _time_ns(_of(event, "timestamp", str))
    if kind == "flow":
        flow = _of(event, "flow", dict)
        state, reason = STATES.get(_of(flow, "state", str)), REASONS.get(_of(flow, "reason", str))
        if state is None or reason is None:
            raise ValueError("has no flow.state or flow.reason that a sensor writes")
        return Event(time_ns, _values(event, flow, ppm, class_index, time_ns, reason, state), None, capture)
    flow = _of(event, "flow", dict)
    values = _values(event, flow, ppm, class_index, time_ns, Reason.SNAPSHOT, State.ESTABLISHED)
    return Event(time_ns, values, classes[class_index], capture)


def _values(
    event: Mapping[str, Any], flow: Mapping[str, Any], ppm: int, class_index: int, end_ns: int, reason: int, state: int
) -> Values:
    """Return what stands in a ROW, in its order, without the segment."""
    proto = _proto(_of(event, "proto", str))
    version = 0
    source = target = b""
    if "src_ip" in event:
        version, source = _address(_of(event, "src_ip", str))
        other, target = _address(_of(event, "dest_ip", str))
        if other != version:
            raise ValueError("has addresses of two versions of IP")
    start_ns = _time_ns(_of(flow, "start", str))
    most = (1 << 63) - 1
    return (
        ppm,
        class_index,
        min(start_ns, end_ns),
        end_ns,
        _count(event, "flow_id", (1 << 51) - 1),
        source,
        target,
        0,
        _count(event, "src_port", 65_535) if "src_port" in event else 0,
        _count(event, "dest_port", 65_535) if "dest_port" in event else 0,
        proto,
        version,
        int(reason),
        int(state),
        *(_count(flow, f"{what}_{side}", most) for side in ("toserver", "toclient") for what in ("pkts", "bytes")),
    )


def _is_ours(event: Mapping[str, Any], model_name: str) -> bool:
    """Whether an alert without a score in figures is a later word of this model's."""
    alert = event.get("alert")
    facts = alert.get("metadata") if isinstance(alert, dict) else None
    return isinstance(facts, dict) and facts.get("ml_model") == [model_name]


def _of(found: Any, key: str, kind: type) -> Any:
    if not isinstance(found, dict) or not isinstance(found.get(key), kind):
        raise ValueError(f"has no {key}, or one of another type")
    return found[key]


def _count(found: Mapping[str, Any], key: str, most: int) -> int:
    value = found.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(f"has no {key} from 0 to {most}")
    return value


@lru_cache(maxsize=256)
def _proto(text: str) -> int:
    number = NUMBERS[text] if text in NUMBERS else int(text) if text.isascii() and text.isdecimal() else 256
    if number > 255:
        raise ValueError("has a proto that no sensor writes")
    return number


@lru_cache(maxsize=65_536)
def _address(text: str) -> tuple[int, bytes]:
    address = ip_address(text)
    return address.version, address.packed


@lru_cache(maxsize=1024)
def _second_ns(text: str) -> int:
    time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int((time - _EPOCH).total_seconds()) * 1_000_000_000


def _time_ns(text: str) -> int:
    """Return a time in exactly the form that events have, in ns since 1970."""
    micros = text[20:26]
    if len(text) != 31 or text[19] != "." or text[26:] != "+0000" or not (micros.isascii() and micros.isdecimal()):
        raise ValueError("has a time that is not of the form 2026-11-21T22:00:00.000000+0000")
    return _second_ns(text[:19]) + int(micros) * MICRO_NS
