"""Groups of ports, and which rows of a table of flows have one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.groups import Grammar
from sensor.rulebook.spans import Spans

LAST_PORT = 65535
EVERY_PORT: Spans = ((0, LAST_PORT),)

_PORTS = re.compile(r"([0-9]{0,5})(?:(:)([0-9]{0,5}))?")


def parse_ports(text: str, variables: Mapping[str, str]) -> "PortSet":
    """Read a group of ports: single ones, `80:90`, `1024:`, `:1023`, `any`, `$NAME`, negations.

    Raises ValueError with a reason.
    """
    return PortSet(Grammar(_read_one, EVERY_PORT, variables).resolve(text))


@dataclass(frozen=True, slots=True)
class PortSet:
    """A set of ports; equal sets are equal however they were written."""

    spans: Spans
    _table: NDArray[np.bool_] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay the set out as one answer a port."""
        table = np.zeros(LAST_PORT + 1, np.bool_)
        for first, last in self.spans:
            table[first : last + 1] = True
        object.__setattr__(self, "_table", table)

    @property
    def is_everything(self) -> bool:
        """Say whether every port is within."""
        return self.spans == EVERY_PORT

    def mask(self, ports: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Say which of uint16[n] ports are within, as bool[n]. A flow without ports has port 0."""
        return self._table[ports]


def _read_one(text: str) -> Spans:
    if text == "any":
        return EVERY_PORT
    match = _PORTS.fullmatch(text)
    if match is None or not (match[1] or match[3]):
        raise ValueError(f"{text!r} is not a port or a range of ports")
    low = int(match[1] or 0)
    high = int(match[3] or LAST_PORT) if match[2] else low
    if high > LAST_PORT or low > LAST_PORT:
        raise ValueError(f"{text!r} has a port above {LAST_PORT}")
    if low > high:
        raise ValueError(f"the range {text!r} ends before it begins")
    return ((low, high),)
