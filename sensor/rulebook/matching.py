"""The options that ask something of a flow, read into conditions."""

import difflib
import re
from collections.abc import Callable
from typing import Literal, cast, get_args

from sensor.rulebook.batch import Condition
from sensor.rulebook.conditions import (
    BIT_PREFIX,
    FLOW_INTS,
    OPERATORS,
    Always,
    AppProtocol,
    Direction,
    FlowBits,
    FlowInt,
    Number,
    Operator,
)
from sensor.rulebook.throttle import read_number

_BIT = re.compile(r"ml\.[a-z0-9_]+")
_UNITS = {"": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30}
_VALUE = r"(0x[0-9a-fA-F]+|[0-9]+)\s*(|kib|kb|mib|mb|gib|gb)"
_COMPARISON = re.compile(rf"(<=|>=|<|>|!=|=|!|)\s*{_VALUE}", re.I)
_RANGE = re.compile(rf"(!?)\s*{_VALUE}\s*(?:-|<>)\s*{_VALUE}", re.I)

U32 = (1 << 32) - 1
# A flow's counters are held as int64; no flow comes near the end of either.
I64 = (1 << 63) - 1

_WEB = ("http", "http1", "http2", "quic", "tls", "websocket", "doh2")
_MAIL = ("imap", "pop3", "smtp")
_NAMES = ("dhcp", "dns", "ldap", "mdns", "ntp", "snmp")
_FILES = ("bittorrent-dht", "dcerpc", "ftp", "ftp-data", "nfs", "smb", "tftp")
_LOGIN = ("ike", "krb5", "rdp", "rfb", "ssh", "telnet")
_OTHERS = ("dnp3", "enip", "modbus", "mqtt", "pgsql", "sip", "failed")
APP_PROTOCOLS = frozenset((*_WEB, *_MAIL, *_NAMES, *_FILES, *_LOGIN, *_OTHERS))
"""Application protocols by the names that Suricata 7 and 8 have for them."""
# As in Suricata, http is either version and dns also what travels within HTTP.
_WIDER = {"http": frozenset({"http", "http1", "http2"}), "dns": frozenset({"dns", "doh2"})}


def parse_flowbits(value: str) -> FlowBits:
    """Read `isset,ml.dos`, `isset,ml.dos|ml.ddos` or `isnotset,...`.

    Raises ValueError with a reason; a bit that is none of the detector's is one.
    """
    word, comma, rest = value.partition(",")
    if word in ("set", "unset", "toggle"):
        raise ValueError(f"{word} changes a bit, and only the detector sets bits here")
    if word not in ("isset", "isnotset") or not comma:
        raise ValueError(f"{value!r} is not isset,NAME or isnotset,NAME")
    names = tuple(name.strip() for name in rest.split("|"))
    for name in names:
        if not _BIT.fullmatch(name):
            raise ValueError(f"there is no bit {name!r}; the detector sets ml.alert and ml.<class>")
    return FlowBits(names, word == "isset")


def bit_classes(conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    """Return the detector's classes whose bits are wanted, in the order of their names."""
    names = {
        name.removeprefix(BIT_PREFIX)
        for condition in conditions
        if isinstance(condition, FlowBits) and condition.wanted
        for name in condition.names
    }
    return tuple(sorted(names - {"alert"}))


def parse_flowint(value: str) -> Condition:
    """Read `ml_score,>=,900`, `ml_score,>=,ml_threshold` or `ml_score,isset`.

    Raises ValueError with a reason; a variable that is none of the detector's is one.
    """
    name, *rest = (part.strip() for part in value.split(","))
    if name not in FLOW_INTS:
        raise ValueError(f"there is no variable {name!r}; the detector sets {', '.join(FLOW_INTS)}")
    if rest in (["isset"], ["notset"], ["isnotset"]):
        return Always(rest == ["isset"])
    if len(rest) != 2:
        raise ValueError(f"{value!r} is not NAME,OPERATOR,VALUE")
    sign, number = rest
    if sign in ("+", "-", "="):
        raise ValueError(f"{sign} changes a variable, and only the detector sets them here; to compare, use ==")
    if sign not in OPERATORS:
        raise ValueError(f"{sign!r} is not one of {' '.join(OPERATORS)}")
    if number in FLOW_INTS:
        return FlowInt(name, sign, number)
    return FlowInt(name, sign, read_number(number, "the value", 0, U32))


def parse_age(value: str) -> Number:
    """Read a comparison of a flow's age in whole seconds: `>60`, `<=5`, `10-20`.

    Raises ValueError with a reason.
    """
    return _number("age", None, value, U32)


def parse_counts(quantity: str, direction: str | None) -> Callable[[str], Number]:
    """Return a reader for a count of packets or bytes.

    Without a direction the reader wants it first, as in `toserver,>100`. The reader raises ValueError
    with a reason.
    """
    what = cast(Literal["pkts", "bytes"], quantity)
    most = U32 if what == "pkts" else I64

    def read(value: str) -> Number:
        if direction is not None:
            return _number(what, cast(Direction, direction), value, most)
        towards, comma, rest = (part.strip() for part in value.partition(","))
        if not comma or towards not in get_args(Direction):
            raise ValueError(f"{value!r} does not begin with one of {', '.join(get_args(Direction))} and a comma")
        return _number(what, cast(Direction, towards), rest, most)

    return read


def _number(quantity: Literal["age", "pkts", "bytes"], direction: Direction | None, text: str, most: int) -> Number:
    between = _RANGE.fullmatch(text)
    if between:
        low = _size(between[2], between[3], most)
        high = _size(between[4], between[5], most)
        if high - low < 2:
            raise ValueError(f"no number lies between the ends of {text!r}, which are not within")
        return Number(quantity, direction, ((">", low), ("<", high)), between[1] == "!")
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number, a comparison such as >3, or a range such as 3-9")
    sign = {"": "==", "=": "==", "!": "!="}.get(match[1], match[1])
    number = _size(match[2], match[3], most)
    if (sign == "<" and number == 0) or (sign == ">" and number == most):
        raise ValueError(f"{text!r} is never true")
    return Number(quantity, direction, ((cast(Operator, sign), number),))


def _size(digits: str, unit: str, most: int) -> int:
    number = int(digits, 16 if digits[:2].lower() == "0x" else 10) * _UNITS[unit.lower()]
    if number > most:
        raise ValueError(f"{digits}{unit} is above {most}")
    return number


def parse_app_protocol(value: str) -> AppProtocol:
    """Read `http` or `!tls`, by Suricata's names for application protocols.

    Raises ValueError with a reason.
    """
    negated, name = value.startswith("!"), value.removeprefix("!")
    if name not in APP_PROTOCOLS:
        close = difflib.get_close_matches(name, sorted(APP_PROTOCOLS), n=1, cutoff=0.5)
        hint = f"; do you mean {close[0]}?" if close else ""
        raise ValueError(f"{name!r} is not Suricata's name for an application protocol{hint}")
    return AppProtocol(_WIDER.get(name, frozenset({name})), negated)
