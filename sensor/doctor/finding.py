"""What one check found, and what would make it right."""

from dataclasses import asdict, dataclass
from typing import Literal

Outcome = Literal["ok", "note", "warning", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        check: what was looked at.
        outcome: `ok`; `note`: neither good nor bad, or what could not be checked; `warning`: the sensor runs but
            less well than it could; `fail`: it does not run, or what it tells would be wrong.
        found: what there is.
        remedy: what to do about it, empty where nothing is to be done.
    """

    check: str
    outcome: Outcome
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding as an object of strings."""
        return asdict(self)

    def line(self, width: int) -> str:
        """Return the finding as one line, its check padded to a width."""
        return f"{self.outcome:<7}  {self.check:<{width}}  {self.found}" + (f"; {self.remedy}" if self.remedy else "")
