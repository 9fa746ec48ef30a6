"""What a rule is once it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from sensor.rulebook.batch import Condition
from sensor.rulebook.throttle import Throttle

Action = Literal["alert", "pass"]
Target = Literal["src_ip", "dest_ip"]

DEFAULT_PRIORITY = 3
"""The severity of a rule that names none: a stock CrowdSec bans a source for hours at 1 and 2."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where more is written: a system of reference.config, the rule's own word, and the address."""

    system: str
    value: str
    url: str


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule that is in force, with all that an alert says about it.

    `category` is the description of `classtype` in classification.config, empty without one.
    `priority` is the rule's own, else its classtype's, else 3; EVE calls it severity. `conditions`
    are all to be met. `throttle` is the rule's own or the one that threshold.config puts in its place;
    None leaves the grouping of the rulebook. `classes` are the detector's classes that it asks for.
    """

    action: Action
    sid: int
    conditions: tuple[Condition, ...]
    path: str
    line: int
    gid: int = 1
    rev: int = 0
    msg: str = ""
    classtype: str = ""
    category: str = ""
    priority: int = DEFAULT_PRIORITY
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    target: Target | None = None
    noalert: bool = False
    throttle: Throttle | None = None
    classes: tuple[str, ...] = ()

    @property
    def severity(self) -> int:
        """Return the priority under the name that EVE has for it."""
        return self.priority

    @property
    def place(self) -> str:
        """Return where the rule stands, as `file:line`."""
        return f"{self.path}:{self.line}"

    @property
    def order(self) -> tuple[int, int, int]:
        """Return what rules are sorted by: priority, then signature id."""
        return self.priority, self.sid, self.gid

    def says_the_same(self, other: "Rule") -> bool:
        """Say whether another rule is the same but for where it stands."""
        return all(
            getattr(self, part.name) == getattr(other, part.name)
            for part in fields(self)
            if part.name not in ("path", "line")
        )
