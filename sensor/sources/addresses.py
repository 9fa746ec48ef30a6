"""The addresses of a network interface, asked of the kernel over netlink (RFC 3549)."""

import ipaddress
import socket
import struct
from collections.abc import Iterator

GET_ADDRESS, NEW_ADDRESS, DONE, ERROR = 22, 20, 3, 2
REQUEST, DUMP = 1, 0x300
LOCAL, ADDRESS = 2, 1  # of a point-to-point link ADDRESS is the other end's, LOCAL the own
HEADER = struct.Struct("=IHHII")
MESSAGE = struct.Struct("=BBBBI")
ATTRIBUTE = struct.Struct("=HH")
REPLY_BYTES = 1 << 16

Address = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def addresses_of(interface: str) -> list[Address]:
    """Return the IPv4 and IPv6 addresses of an interface with their prefixes; empty when there is none of the name."""
    index = next((number for number, name in socket.if_nameindex() if name == interface), None)
    return [address for owner, address in all_addresses() if owner == index]


def all_addresses() -> list[tuple[int, Address]]:
    """Return (number of the interface, address) of every address in this network namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        length = HEADER.size + MESSAGE.size
        kernel.send(HEADER.pack(length, GET_ADDRESS, REQUEST | DUMP, 1, 0) + MESSAGE.pack(0, 0, 0, 0, 0))
        found: list[tuple[int, Address]] = []
        while True:
            data = kernel.recv(REPLY_BYTES)
            for kind, body in _messages(data):
                if kind in (DONE, ERROR):
                    return found
                if kind == NEW_ADDRESS:
                    found += _address(body)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        yield kind, data[at + HEADER.size : at + length]
        at += max(_aligned(length), HEADER.size)


def _address(body: bytes) -> Iterator[tuple[int, Address]]:
    _, prefix, _, _, index = MESSAGE.unpack_from(body)
    told: dict[int, bytes] = {}
    at = MESSAGE.size
    while at + ATTRIBUTE.size <= len(body):
        length, kind = ATTRIBUTE.unpack_from(body, at)
        told[kind] = body[at + ATTRIBUTE.size : at + length]
        at += max(_aligned(length), ATTRIBUTE.size)
    own = told.get(LOCAL) or told.get(ADDRESS)
    if own and len(own) in (4, 16):
        yield index, ipaddress.ip_interface((own, prefix))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
