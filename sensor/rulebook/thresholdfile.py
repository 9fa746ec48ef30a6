"""threshold.config: thresholds over those of the rules, and suppression by address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from sensor.rulebook.addresses import AddressSet, parse_addresses
from sensor.rulebook.faults import Fault
from sensor.rulebook.lines import read_text, statements
from sensor.rulebook.rule import Rule
from sensor.rulebook.throttle import Throttle, parse_threshold, read_number

Suppressed = Literal["by_src", "by_dst", "by_either"]
RuleId = tuple[int, int]
"""A generator id and a signature id; 0 stands for all."""

_MAX_ID = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Suppression:
    """Matches that never count: all of a rule's, or those from or to some addresses."""

    track: Suppressed | None
    addresses: AddressSet | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What threshold.config says, by the rules that it names."""

    throttles: Mapping[RuleId, Throttle] = field(default_factory=dict)
    suppressions: Mapping[RuleId, tuple[Suppression, ...]] = field(default_factory=dict)

    def throttle_of(self, rule: Rule) -> Throttle | None:
        """Return a rule's throttle: the one given for it here, its own, or one given for all rules."""
        if rule.action == "pass":
            return None
        named = self.throttles.get((rule.gid, rule.sid))
        shared = self.throttles.get((rule.gid, 0)) or self.throttles.get((0, 0))
        return named or rule.throttle or shared

    def suppressions_of(self, rule: Rule) -> tuple[Suppression, ...]:
        """Return all that suppresses a rule's matches."""
        numbers = ((rule.gid, rule.sid), (rule.gid, 0), (0, 0))
        return tuple(one for number in numbers for one in self.suppressions.get(number, ()))


def read_limits(
    path: Path, rules: Sequence[Rule], variables: Mapping[str, str]
) -> tuple[Limits, list[Fault], list[Fault]]:
    """Read a threshold.config; return what it says, its faults, and its lines that name no rule.

    A file that is not there says nothing.
    """
    throttles: dict[RuleId, Throttle] = {}
    suppressions: dict[RuleId, tuple[Suppression, ...]] = {}
    faults: list[Fault] = []
    unused: list[Fault] = []
    if not path.is_file():
        return Limits(), faults, unused
    try:
        lines = [one for one in statements(read_text(path)) if not one.disabled]
    except ValueError as error:
        return Limits(), [Fault(str(path), 0, str(error))], unused
    known = {(rule.gid, rule.sid) for rule in rules}
    for statement in lines:
        try:
            keyword, number, rest = _split(statement.text)
            if keyword == "suppress":
                suppressions[number] = (*suppressions.get(number, ()), _suppression(rest, variables))
            elif number in throttles:
                raise ValueError(f"gen_id {number[0]}, sig_id {number[1]} has a threshold further up")
            else:
                throttles[number] = parse_threshold(rest)
        except ValueError as error:
            faults.append(Fault(str(path), statement.line, str(error)))
            continue
        if number[1] and number not in known:
            unused.append(Fault(str(path), statement.line, f"no rule has gid {number[0]} and sid {number[1]}"))
    return Limits(throttles, suppressions), faults, unused


def _split(text: str) -> tuple[str, RuleId, str]:
    """Return keyword, gid and sid, and what stands after them."""
    keyword, _, rest = text.strip().partition(" ")
    if keyword == "rate_filter":
        raise ValueError(
            "rate_filter changes a rule's action, and the sensor has no other than alert; "
            "a threshold of type both says when a rate is passed"
        )
    if keyword not in ("threshold", "event_filter", "suppress"):
        raise ValueError(f"{keyword!r} is not one of threshold, event_filter, suppress")
    parts = [part.strip() for part in rest.split(",", 2)]
    if len(parts) < 2:
        raise ValueError(f"{keyword} is followed by gen_id N, sig_id N")
    gid, sid = _id(parts[0], "gen_id"), _id(parts[1], "sig_id")
    if sid and not gid:
        raise ValueError("sig_id names a rule, so gen_id must not be 0")
    return keyword, (gid, sid), parts[2] if len(parts) == 3 else ""


def _id(text: str, name: str) -> int:
    word, _, number = text.partition(" ")
    if word != name:
        raise ValueError(f"{text!r} stands where {name} N should")
    return read_number(number.strip(), name, 0, _MAX_ID)


def _suppression(rest: str, variables: Mapping[str, str]) -> Suppression:
    if not rest:
        return Suppression(None, None)
    first, _, second = (part.strip() for part in rest.partition(","))
    word, _, track = (part.strip() for part in first.partition(" "))
    if word != "track" or track not in get_args(Suppressed):
        raise ValueError(f"{first!r} is not track with one of {', '.join(get_args(Suppressed))}")
    key, _, group = second.partition(" ")
    group = group.strip()
    if key != "ip" or not group:
        raise ValueError("ip with an address, a network, a [list] or a $VARIABLE is missing")
    if group.startswith("!"):
        raise ValueError(f"{group!r}: Suricata takes no negation here; name the variable that has it")
    if "," in group and not group.startswith("["):
        group = f"[{group}]"
    tracked: Suppressed = "by_src" if track == "by_src" else "by_dst" if track == "by_dst" else "by_either"
    return Suppression(tracked, parse_addresses(group, variables))
