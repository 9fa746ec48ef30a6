"""What is wrong with a folder of rules, all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from sensor.errors import NettrusionError


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Why one line of a file cannot be honoured; line 0 stands for the file as a whole."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        """Return `file:line: reason`."""
        return f"{self.path}:{self.line}: {self.reason}" if self.line else f"{self.path}: {self.reason}"


class RuleError(NettrusionError):
    """A folder of rules that cannot be honoured; the sentence has a line for each fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Collect the faults, in the order of their files and lines."""
        self.faults = tuple(sorted(faults))
        count = len(self.faults)
        what = "1 line of the rules" if count == 1 else f"{count} lines of the rules"
        super().__init__("\n  ".join([f"{what} cannot be honoured:", *map(str, self.faults)]))
