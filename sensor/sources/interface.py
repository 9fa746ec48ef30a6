"""What the kernel says about a network interface: whether it is there and up, its frames, its addresses."""

import difflib
import errno
import fcntl
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from sensor.errors import NettrusionError
from sensor.sources.addresses import addresses_of

GET_INDEX, GET_FLAGS, GET_MTU, GET_HARDWARE = 0x8933, 0x8913, 0x8921, 0x8927
UP = 1
REQUEST_BYTES = 40
MAX_NAME = 15

ETHERNET, RAW_IP = 1, 101
# ARPHRD_ number of an interface to the LINKTYPE_ number of what its ring holds. A loopback's frames have an
# Ethernet header; tun, WireGuard and the like have none.
LINK_TYPES = {1: ETHERNET, 772: ETHERNET, 65534: RAW_IP}
LOOPBACK = 772


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface as it is at one moment."""

    name: str
    index: int
    up: bool
    mtu: int
    hardware: int  # ARPHRD_ number

    @classmethod
    def look(cls, name: str) -> Self | None:
        """Ask the kernel; None when there is no interface of this name."""
        if not 0 < len(name.encode()) <= MAX_NAME or "/" in name:
            return None
        # Any socket will do, and a service may be forbidden those of the Internet.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ask:
            try:
                (index,) = _request(ask, GET_INDEX, name, "=i")
                (flags,) = _request(ask, GET_FLAGS, name, "=H")
                (mtu,) = _request(ask, GET_MTU, name, "=i")
                (hardware,) = _request(ask, GET_HARDWARE, name, "=H")
            except OSError as error:
                if error.errno not in (errno.ENODEV, errno.ENXIO):
                    raise
                return None
        return cls(name, index, bool(flags & UP), mtu, hardware)

    @classmethod
    def find(cls, name: str) -> Self:
        """Ask the kernel; raises NettrusionError, with names that are near, when there is none."""
        found = cls.look(name)
        if found is None:
            raise NettrusionError(f"{name}: there is no such interface; {_others(name)}")
        return found

    @property
    def loopback(self) -> bool:
        """Whether each packet passes twice, once going out and once coming in."""
        return self.hardware == LOOPBACK

    @property
    def link_type(self) -> int:
        """LINKTYPE_ number of its frames; raises NettrusionError where the sensor cannot read them."""
        if self.hardware not in LINK_TYPES:
            raise NettrusionError(
                f"{self.name}: its frames are neither Ethernet nor bare IP (hardware type {self.hardware}); "
                "capture on the interface beneath it, or through tshark: --source tshark"
            )
        return LINK_TYPES[self.hardware]


def home_networks(interfaces: Iterable[str]) -> str | None:
    """Return the networks that interfaces stand in, as a value of HOME_NET; None when they have no address.

    A link-local address alone is none: every interface has one, that of a mirror port too. Of private and
    link-local addresses it is their network; of public ones the host alone, since the neighbours in a
    provider's network are not at home.
    """
    addresses = [address for name in interfaces for address in addresses_of(name)]
    if all(address.ip.is_link_local for address in addresses):
        return None
    found = {
        str(address.network if address.ip.is_private or address.ip.is_link_local else address.ip)
        for address in addresses
    }
    return f"[{','.join(sorted(found))}]" if found else None


def _request(ask: socket.socket, what: int, name: str, form: str) -> tuple[int, ...]:
    told = fcntl.ioctl(ask, what, name.encode().ljust(REQUEST_BYTES, b"\0"))
    return struct.unpack_from(form, told, 16)


def _others(name: str) -> str:
    if name == "any":
        return "name each one: -i eth0 -i eth1"
    there = [known for _, known in socket.if_nameindex()]
    near = difflib.get_close_matches(name, there, 3, 0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"there are: {', '.join(sorted(there)) or 'none'}"
