"""One rule's text taken apart: header fields and options, before anything is looked up."""

from dataclasses import dataclass
from typing import Literal

HEADER_FIELDS = "action, protocol, address, ports, -> or <>, address, ports"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a rule: its keyword in lower case and what stands after the colon, if anything."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class RuleText:
    """The parts of a rule as they are written."""

    action: str
    protocol: str
    source: str
    source_ports: str
    arrow: Literal["->", "<>"]
    target: str
    target_ports: str
    options: tuple[Option, ...]


def split_rule(text: str) -> RuleText:
    """Take a rule apart.

    Raises ValueError with a reason. What Suricata would not read is refused, also where its meaning
    could be guessed, so that its tools can be used on the same file.
    """
    if text[:1].isspace():
        raise ValueError("the rule begins with a blank, and Suricata would skip it without a word")
    head, bracket, rest = text.partition("(")
    if not bracket:
        raise ValueError("the options in ( ) are missing")
    if not head[-1:].isspace():
        raise ValueError("a blank is missing before the options' (")
    body, bracket, after = rest.rpartition(")")
    if not bracket:
        raise ValueError("the options' closing ) is missing")
    if after.strip():
        raise ValueError(f"{after.strip()!r} stands after the options' closing )")
    fields = split_header(head.rstrip())
    if len(fields) != 7:
        raise ValueError(f"the header has {len(fields)} fields, not the 7: {HEADER_FIELDS}")
    action, protocol, source, source_ports, arrow, target, target_ports = fields
    if arrow not in ("->", "<>"):
        raise ValueError(f"the direction {arrow!r} is not one of ->, <>")
    return RuleText(
        action.lower(),
        protocol.lower(),
        source,
        source_ports,
        "->" if arrow == "->" else "<>",
        target,
        target_ports,
        tuple(split_options(body)),
    )


def split_header(head: str) -> list[str]:
    """Return the fields of a header, which are apart by blanks outside of square brackets.

    Raises ValueError for a tab, which Suricata takes for a part of a field.
    """
    if "\t" in head:
        raise ValueError("a tab stands in the header; Suricata wants spaces there")
    fields, depth, field = [], 0, ""
    for letter in head:
        depth += (letter == "[") - (letter == "]")
        if letter == " " and depth <= 0:
            if field:
                fields.append(field)
            field = ""
        else:
            field += letter
    return [*fields, field] if field else fields


def split_options(body: str) -> list[Option]:
    """Return the options of a rule, which each end in a semicolon that no backslash stands before.

    Raises ValueError with a reason.
    """
    options, start = [], 0
    for place, letter in enumerate(body):
        if letter == ";" and body[place - 1 : place] != "\\":
            options.append(_read_option(body[start:place]))
            start = place + 1
    if body[start:].strip():
        raise ValueError(f"the option {body[start:].strip()!r} does not end in a semicolon")
    return options


def _read_option(text: str) -> Option:
    name, colon, value = text.strip().partition(":")
    if not name.strip():
        raise ValueError("an option is empty: a keyword is missing before a semicolon")
    return Option(name.strip().lower(), value.strip() if colon else None)


def unquote(value: str) -> str:
    r"""Return a quoted value without its quotes and with `\;`, `\"`, `\\` and `\:` as they are meant.

    Raises ValueError when it is not in double quotes, is empty, or has another backslash.
    """
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        raise ValueError(f"{value} must stand in double quotes; a semicolon in it is written \\;")
    plain, escaped = "", False
    for letter in value[1:-1]:
        if escaped:
            if letter not in ';"\\:':
                raise ValueError(f'\\{letter} in {value}: only \\; \\" \\\\ and \\: can be escaped')
            plain, escaped = plain + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            raise ValueError(f'a double quote within {value} is written \\"')
        else:
            plain += letter
    if escaped:
        raise ValueError(f"the closing quote of {value} is escaped")
    if not plain:
        raise ValueError("the text in quotes is empty")
    return plain
