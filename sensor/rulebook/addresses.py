"""Groups of IPv4 and IPv6 addresses, and which rows of a table of flows are in one."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sensor.rulebook.groups import Grammar
from sensor.rulebook.spans import Spans, within

V6_BASE = 1 << 128
"""IPv6 addresses are numbered from here on, so that both families are one line of numbers."""
_V4_LAST = (1 << 32) - 1
EVERYTHING: Spans = ((0, _V4_LAST), (V6_BASE, 2 * V6_BASE - 1))


def parse_addresses(text: str, variables: Mapping[str, str]) -> "AddressSet":
    """Read a group of addresses: single ones, CIDR, netmasks, ranges, `any`, `$NAME`, negations.

    Raises ValueError with a reason.
    """
    return AddressSet(Grammar(_read_one, EVERYTHING, variables).resolve(text))


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses; equal sets are equal however they were written."""

    spans: Spans
    _v4: tuple[NDArray[np.uint32], NDArray[np.uint32]] = field(init=False, repr=False, compare=False)
    _v6: tuple[NDArray[np.bytes_], NDArray[np.bytes_]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay the spans out as arrays of first and last addresses, one pair a family."""
        v4 = np.array(within(self.spans, 0, _V4_LAST), np.uint32).reshape(-1, 2)
        v6 = np.array(
            [[edge.to_bytes(17, "big")[1:] for edge in span] for span in within(self.spans, V6_BASE, 2 * V6_BASE - 1)],
            "S16",
        ).reshape(-1, 2)
        object.__setattr__(self, "_v4", (v4[:, 0].copy(), v4[:, 1].copy()))
        object.__setattr__(self, "_v6", (v6[:, 0].copy(), v6[:, 1].copy()))

    @property
    def is_everything(self) -> bool:
        """Say whether every address is within."""
        return self.spans == EVERYTHING

    def __contains__(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Say whether one address is within."""
        number = int(address) + (V6_BASE if address.version == 6 else 0)
        return any(first <= number <= last for first, last in self.spans)

    def mask(self, version: NDArray[np.uint8], address: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Say which flows have an address within.

        `version` is uint8[n]: 4, 6, or 0 for a flow without addresses, which is in no set.
        `address` is uint8[n, 16], network byte order, an IPv4 address in its first four bytes.
        Returns bool[n].
        """
        inside = np.zeros(len(version), np.bool_)
        if self._v4[0].size:
            rows = np.flatnonzero(version == 4)
            four = np.ascontiguousarray(address[rows, :4]).view(">u4")[:, 0].astype(np.uint32)
            inside[rows] = _between(four, *self._v4)
        if self._v6[0].size and (version == 6).any():
            rows = np.flatnonzero(version == 6)
            # Byte strings of one length compare like the numbers that they are; the zero bytes that
            # numpy drops at the end of one count as zero when it compares.
            sixteen = np.ascontiguousarray(address[rows]).view("S16")[:, 0]
            inside[rows] = _between(sixteen, *self._v6)
        return inside


def _between(values: NDArray, first: NDArray, last: NDArray) -> NDArray[np.bool_]:  # type: ignore[type-arg]
    """Say which values lie in one of the spans; the spans are sorted and apart."""
    place = np.searchsorted(first, values, side="right") - 1
    return (place >= 0) & (values <= last[place])


def _read_one(text: str) -> Spans:
    if text == "any":
        return EVERYTHING
    if "%" in text:
        raise ValueError(f"{text!r} has a zone, and flows do not keep it")
    low, dash, high = text.partition("-")
    try:
        if dash:
            ends = ipaddress.ip_address(low), ipaddress.ip_address(high)
        else:
            network = ipaddress.ip_network(text, strict=False)
            ends = network[0], network[-1]
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address, a network or a range") from error
    mask = text.partition("/")[2]
    if "." in mask and str(network.netmask) != mask:
        raise ValueError(f"{mask!r} in {text!r} is not a netmask")
    return _span(*ends, text)


def _span(
    low: ipaddress.IPv4Address | ipaddress.IPv6Address,
    high: ipaddress.IPv4Address | ipaddress.IPv6Address,
    text: str,
) -> Spans:
    if low.version != high.version:
        raise ValueError(f"the range {text!r} begins in one family and ends in the other")
    if int(low) > int(high):
        raise ValueError(f"the range {text!r} ends before it begins")
    base = V6_BASE if low.version == 6 else 0
    return ((base + int(low), base + int(high)),)
