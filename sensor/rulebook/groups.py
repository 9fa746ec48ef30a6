"""The grammar of groups in a rule's header: `[a,!b,[c,!d],$NAME]` over addresses or ports.

What is negated is taken away from the rest of the whole group, also from the parts of a bracket within
it; a negated bracket or variable is worked out by itself first. With nothing but negations the rest is
everything. These are the meanings that Suricata's user guide gives, and what Suricata 7 and 8 do, but for
one case: there `!10.0.0.1` leaves no IPv6 address, here it is every address but that one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sensor.rulebook.spans import Span, Spans, merge, subtract

Atom = Callable[[str], Spans]
"""Reads one address or port, without sign or brackets; raises ValueError with a reason."""

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the members of a group are: how one is read, and which numbers there are at all."""

    atom: Atom
    everything: Spans
    variables: Mapping[str, str]

    def resolve(self, text: str) -> Spans:
        """Return the numbers that a group stands for; never empty.

        Raises ValueError with a reason when the group cannot be read or when nothing is left of it.
        """
        try:
            return self._resolve(text, ())
        except RecursionError as error:
            raise ValueError("brackets and variables are nested too deep") from error

    def _resolve(self, text: str, open_names: tuple[str, ...]) -> Spans:
        wanted: list[Span] = []
        unwanted: list[Span] = []
        some = self._collect(text, open_names, wanted, unwanted)
        left = subtract(merge(wanted) if some else self.everything, merge(unwanted))
        if not left:
            raise ValueError(f"nothing is left of {text!r} when its negated part is taken away")
        return left

    def _collect(self, text: str, open_names: tuple[str, ...], wanted: list[Span], unwanted: list[Span]) -> bool:
        """Add a group's members to the two lists; say whether any of them was not negated."""
        text = text.strip()
        if text.startswith("!"):
            if text[1:].startswith("!"):
                raise ValueError(f"{text!r} is negated twice")
            unwanted += self._resolve(text[1:], open_names)
            return False
        if text.startswith("["):
            some = False
            for member in split_members(text):
                some |= self._collect(member, open_names, wanted, unwanted)
            return some
        if text.startswith("$"):
            name, value = self._lookup(text, open_names)
            return self._collect(value, (*open_names, name), wanted, unwanted)
        wanted += self.atom(text)
        return True

    def _lookup(self, text: str, open_names: tuple[str, ...]) -> tuple[str, str]:
        match = _VARIABLE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not the name of a variable")
        name = match[1]
        if name in open_names:
            raise ValueError(f"the variable ${name} is defined by itself")
        if name not in self.variables:
            known = ", ".join(f"${one}" for one in sorted(self.variables)) or "none"
            raise ValueError(f"there is no variable ${name}; the configuration has {known}")
        return name, self.variables[name]


def split_members(text: str) -> list[str]:
    """Return the members of `[a,b,[c,d]]` as they are written: `a`, `b`, `[c,d]`.

    Raises ValueError when a bracket is missing or a member is empty.
    """
    members, depth, start = [], 0, 1
    for place, letter in enumerate(text):
        if letter == "[":
            depth += 1
        elif letter == "]":
            depth -= 1
        if depth < 0 or (depth == 0 and place < len(text) - 1):
            raise ValueError(f"the brackets of {text!r} do not match")
        if (letter == "," and depth == 1) or (letter == "]" and depth == 0):
            members.append(text[start:place].strip())
            start = place + 1
    if depth:
        raise ValueError(f"the brackets of {text!r} do not match")
    if not all(members):
        raise ValueError(f"a member of the group {text!r} is empty")
    return members
