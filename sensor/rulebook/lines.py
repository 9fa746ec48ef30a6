"""Files of rules as statements: comments dropped, lines that end in a backslash joined."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DISABLED = re.compile(r"#[#\s]*(alert|pass|drop|reject|rejectsrc|rejectdst|rejectboth)\s[^(]*\(.*;\s*\)\s*$", re.I)


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule as it is written, with the number of its first line; `disabled` if commented out."""

    line: int
    text: str
    disabled: bool = False


def read_text(path: Path) -> str:
    """Return a file's text, without a byte order mark.

    Raises ValueError with a reason when it cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of a file of rules or of threshold.config.

    Empty lines and those that begin with `#` or `;` are comments, unless they continue a statement,
    as in Suricata; of the comments only rules that are switched off are yielded.
    """
    first = 0
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip()
        if not parts:
            first = number
            if not line or line.startswith(";"):
                continue
            if line.startswith("#"):
                if _DISABLED.match(line):
                    yield Statement(number, line.lstrip("# \t"), disabled=True)
                continue
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        yield Statement(first, "".join([*parts, line]))
        parts = []
    if parts:
        yield Statement(first, "".join(parts))
