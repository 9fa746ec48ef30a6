"""The options of a rule, one reader each; what is read collects in a draft of the rule."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sensor.rulebook.batch import Condition
from sensor.rulebook.matching import (
    parse_age,
    parse_app_protocol,
    parse_counts,
    parse_flowbits,
    parse_flowint,
)
from sensor.rulebook.rule import Reference, Target
from sensor.rulebook.syntax import Option, unquote
from sensor.rulebook.tables import MAX_PRIORITY, Tables
from sensor.rulebook.throttle import (
    Throttle,
    parse_detection_filter,
    parse_threshold,
    read_number,
)

MAX_ID = (1 << 32) - 1
_KEY = re.compile(r"[^\s,]+")

PAYLOAD = "looks into packets, and a flow record keeps no payload"
UNSUPPORTED = {
    **dict.fromkeys(
        ("content", "pcre", "byte_test", "byte_jump", "byte_extract", "isdataat", "dsize", "bsize"), PAYLOAD
    ),
    **dict.fromkeys(("nocase", "depth", "offset", "distance", "within", "fast_pattern", "rawbytes"), PAYLOAD),
    "flow": "looks at single packets; source -> target is initiator -> responder, and "
    "flow.pkts_toclient:>0 asks for an answer",
    "flags": "looks at single packets, and a flow record has those of all its packets",
    "flowvar": "compares payload, and a flow record keeps none",
    "xbits": "sets marks; the sensor's rules judge flows and change nothing",
    "hostbits": "sets marks; the sensor's rules judge flows and change nothing",
    "tag": "logs packets, and a flow record keeps none",
    "requires": "asks about the version of Suricata that loads the rule",
}
"""Suricata's keywords that a writer of rules is likely to try, and why they cannot be honoured."""


@dataclass(slots=True)
class Draft:
    """What the options of one rule said so far."""

    tables: Tables
    sid: int = 0
    gid: int = 1
    rev: int = 0
    msg: str = ""
    classtype: str = ""
    category: str = ""
    class_priority: int | None = None
    priority: int | None = None
    target: Target | None = None
    noalert: bool = False
    throttle: Throttle | None = None
    metadata: dict[str, tuple[str, ...]] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    given: set[str] = field(default_factory=set)


def read_option(option: Option, draft: Draft) -> None:
    """Add what one option says to the draft.

    Raises ValueError with a reason when the option is unknown, wrong, or stands there a second time.
    """
    name, value = option.name, option.value
    if name in ("noalert",):
        if value is not None:
            raise ValueError("noalert takes no value")
        draft.noalert = True
        return
    reader = _READERS.get(name)
    if reader is None:
        raise ValueError(_unknown(name))
    if name in _ONCE:
        slot = "threshold or detection_filter" if name in _THROTTLES else name
        if slot in draft.given:
            raise ValueError(f"{slot} is given twice")
        draft.given.add(slot)
    if not value:
        raise ValueError(f"{name} needs a value")
    try:
        reader(draft, value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _unknown(name: str) -> str:
    if name in UNSUPPORTED:
        return f"{name} {UNSUPPORTED[name]}"
    close = difflib.get_close_matches(name, [*_READERS, "noalert"], n=1, cutoff=0.75)
    hint = f"; do you mean {close[0]}?" if close else "; it cannot be asked of a scored flow"
    return f"the keyword {name} is not known{hint}"


def _msg(draft: Draft, value: str) -> None:
    draft.msg = unquote(value)


def _sid(draft: Draft, value: str) -> None:
    draft.sid = read_number(value, "the signature id", 1, MAX_ID)


def _gid(draft: Draft, value: str) -> None:
    draft.gid = read_number(value, "the generator id", 1, MAX_ID)


def _rev(draft: Draft, value: str) -> None:
    draft.rev = read_number(value, "the revision", 1, MAX_ID)


def _priority(draft: Draft, value: str) -> None:
    draft.priority = read_number(value, "the priority", 1, MAX_PRIORITY)


def _classtype(draft: Draft, value: str) -> None:
    found = draft.tables.classtypes.get(value)
    if found is None:
        close = difflib.get_close_matches(value, draft.tables.classtypes, n=1, cutoff=0.6)
        hint = f"; do you mean {close[0]}?" if close else ""
        raise ValueError(f"{value!r} is not in classification.config{hint}")
    draft.classtype, draft.category, draft.class_priority = value, found.category, found.priority


def _reference(draft: Draft, value: str) -> None:
    system, comma, word = (part.strip() for part in value.partition(","))
    if not comma or not word:
        raise ValueError(f"{value!r}: write it as system,value")
    prefix = draft.tables.references.get(system.lower())
    if prefix is None:
        raise ValueError(f"the system {system!r} is not in reference.config")
    draft.references.append(Reference(system, word, prefix + word))


def _metadata(draft: Draft, value: str) -> None:
    for entry in value.split(","):
        key, _, word = entry.strip().partition(" ")
        if not _KEY.fullmatch(key) or not word.strip():
            raise ValueError(f"{entry.strip()!r} is not a key and its value")
        draft.metadata[key] = (*draft.metadata.get(key, ()), word.strip())


def _target(draft: Draft, value: str) -> None:
    if value not in ("src_ip", "dest_ip"):
        raise ValueError(f"{value!r} is not one of src_ip, dest_ip")
    draft.target = "src_ip" if value == "src_ip" else "dest_ip"


def _threshold(draft: Draft, value: str) -> None:
    draft.throttle = parse_threshold(value)


def _detection_filter(draft: Draft, value: str) -> None:
    draft.throttle = parse_detection_filter(value)


def _flowbits(draft: Draft, value: str) -> None:
    if value == "noalert":
        draft.noalert = True
    else:
        draft.conditions.append(parse_flowbits(value))


def _condition(parse: Callable[[str], Condition]) -> "Reader":
    def read(draft: Draft, value: str) -> None:
        draft.conditions.append(parse(value))

    return read


Reader = Callable[[Draft, str], None]

_THROTTLES = {"threshold", "detection_filter"}
_ONCE = _THROTTLES | {"msg", "sid", "gid", "rev", "priority", "classtype", "target"}
_READERS: dict[str, Reader] = {
    "msg": _msg,
    "sid": _sid,
    "gid": _gid,
    "rev": _rev,
    "priority": _priority,
    "classtype": _classtype,
    "reference": _reference,
    "metadata": _metadata,
    "target": _target,
    "threshold": _threshold,
    "detection_filter": _detection_filter,
    "flowbits": _flowbits,
    "flowint": _condition(parse_flowint),
    "app-layer-protocol": _condition(parse_app_protocol),
    "flow.age": _condition(parse_age),
    **{
        f"flow.{quantity}{suffix}": _condition(parse_counts(quantity, direction))
        for quantity in ("pkts", "bytes")
        for suffix, direction in (("", None), ("_toserver", "toserver"), ("_toclient", "toclient"))
    },
}
