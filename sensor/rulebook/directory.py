"""A folder of rules read as a whole, with everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sensor.rulebook.advice import warn_about
from sensor.rulebook.batch import Condition
from sensor.rulebook.conditions import AddressIn, AppProtocol, EitherWay, FlowBits, FlowInt, PortIn
from sensor.rulebook.faults import Fault
from sensor.rulebook.header import read_header
from sensor.rulebook.lines import read_text, statements
from sensor.rulebook.matching import bit_classes
from sensor.rulebook.options import Draft, read_option
from sensor.rulebook.rule import DEFAULT_PRIORITY, Action, Rule
from sensor.rulebook.syntax import RuleText, split_rule
from sensor.rulebook.tables import Tables, read_tables
from sensor.rulebook.thresholdfile import Limits, read_limits

ACTIONS: Mapping[str, Action] = {"alert": "alert", "pass": "pass"}
_BLOCKING = ("drop", "reject", "rejectsrc", "rejectdst", "rejectboth")

# Cheapest first, and the detector's own words before all: they rule out nearly every flow.
_COST: tuple[type, ...] = (FlowBits, FlowInt, PortIn, AddressIn, EitherWay, AppProtocol)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a folder holds: rules in the order in which they are asked, and what was found wrong.

    `disabled` counts rules that are commented out. `warnings` are sentences about what is honoured
    but probably not meant. Rules with a fault are not among `rules`.
    """

    rules: tuple[Rule, ...]
    limits: Limits
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    disabled: int
    files: int


def read_directory(directory: Path, variables: Mapping[str, str]) -> Reading:
    """Read `*.rules`, classification.config, reference.config and threshold.config of a folder.

    Never raises for what the files hold: all faults are in the result. A folder that is not there, or
    that has no `*.rules`, is a fault too.
    """
    tables, faults = read_tables(directory)
    files = sorted(path for path in directory.glob("*.rules") if path.is_file())
    if not files:
        what = "has no *.rules file" if directory.is_dir() else "is not a folder of rules"
        faults.append(Fault(str(directory), 0, what))
    rules: list[Rule] = []
    disabled = 0
    for path in files:
        disabled += _read_file(path, tables, variables, rules, faults)
    rules.sort(key=lambda rule: rule.order)
    faults += _duplicates(rules)
    limits, wrong, unused = read_limits(directory / "threshold.config", rules, variables)
    return Reading(
        tuple(replace(rule, throttle=limits.throttle_of(rule)) for rule in rules),
        limits,
        tuple(sorted({*faults, *wrong})),
        tuple(sorted([*unused, *(fault for rule in rules for fault in warn_about(rule))])),
        disabled,
        len(files),
    )


def _read_file(path: Path, tables: Tables, variables: Mapping[str, str], rules: list[Rule], faults: list[Fault]) -> int:
    """Add a file's rules and faults to the two lists; return how many rules are commented out."""
    try:
        text = read_text(path)
    except ValueError as error:
        faults.append(Fault(str(path), 0, str(error)))
        return 0
    disabled = 0
    for statement in statements(text):
        if statement.disabled:
            disabled += 1
            continue
        try:
            rules.append(read_rule(statement.text, tables, variables, str(path), statement.line))
        except ValueError as error:
            faults.append(Fault(str(path), statement.line, str(error)))
    return disabled


def read_rule(text: str, tables: Tables, variables: Mapping[str, str], path: str, line: int) -> Rule:
    """Read one rule; `path` and `line` say where it stands.

    Raises ValueError with the reasons why it cannot be honoured.
    """
    parts = split_rule(text)
    draft = Draft(tables)
    reasons = [*_wrong_action(parts.action), *_read_options(parts, draft)]
    header: tuple[Condition, ...] = ()
    try:
        header = read_header(parts, variables)
    except ValueError as error:
        reasons.append(str(error))
    if reasons:
        raise ValueError("; ".join(reasons))
    own = tuple(draft.conditions)
    return Rule(
        action=ACTIONS[parts.action],
        sid=draft.sid,
        conditions=_in_order((*own, *header)),
        path=path,
        line=line,
        gid=draft.gid,
        rev=draft.rev,
        msg=draft.msg,
        classtype=draft.classtype,
        category=draft.category,
        priority=draft.priority or draft.class_priority or DEFAULT_PRIORITY,
        metadata=draft.metadata,
        references=tuple(draft.references),
        target=draft.target,
        noalert=draft.noalert,
        throttle=draft.throttle,
        classes=bit_classes(own),
    )


def _wrong_action(action: str) -> list[str]:
    if action in _BLOCKING:
        return [f"{action} would block traffic, and the sensor never does; write alert"]
    return [] if action in ACTIONS else [f"the action {action!r} is not one of {', '.join(ACTIONS)}"]


def _read_options(parts: RuleText, draft: Draft) -> list[str]:
    """Read a rule's options into a draft and return the reasons why some cannot be honoured."""
    reasons: list[str] = []
    for option in parts.options:
        try:
            read_option(option, draft)
        except ValueError as error:
            reasons.append(str(error))
    if all(option.name != "sid" for option in parts.options):
        reasons.append("sid, the signature id, is missing")
    if parts.action == "pass" and draft.throttle is not None:
        reasons.append("a pass rule writes no alerts, so it takes no threshold")
    return reasons


def _in_order(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return conditions, each once, in the order in which they are best asked."""

    def cost(condition: Condition) -> int:
        kind = type(condition)
        # What is not named stands in the middle: a comparison of one or two columns.
        return _COST.index(kind) if kind in _COST else 2

    return tuple(sorted(dict.fromkeys(conditions), key=cost))


def _duplicates(rules: list[Rule]) -> list[Fault]:
    first: dict[tuple[int, int], Rule] = {}
    faults = []
    for rule in sorted(rules, key=lambda rule: (rule.path, rule.line)):
        other = first.setdefault((rule.gid, rule.sid), rule)
        if other is not rule:
            faults.append(Fault(rule.path, rule.line, f"sid {rule.sid} is already that of {other.place}"))
    return faults
