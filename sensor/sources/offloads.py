"""What a network card joins together before a capture sees it, which distorts the sizes of packets."""

import fcntl
import socket
import struct
from array import array

ETHTOOL = 0x8946
LRO_FLAG = 1 << 15
# What ethtool calls it, the command that asks for it, the bit of the answer.
OFFLOADS = (("gro", 0x2B, 1), ("lro", 0x25, LRO_FLAG), ("tso", 0x1E, 1), ("gso", 0x23, 1))


def offloads_of(interface: str) -> list[str]:
    """Return the offloads of an interface that join packets and are on, by ethtool's names.

    `gro` and `lro` join what comes in, `tso` and `gso` leave what this machine sends in one piece until
    after the capture. Empty when the driver does not say.
    """
    on = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ask:
        for name, command, bit in OFFLOADS:
            value = array("B", struct.pack("=II", command, 0))
            address, _ = value.buffer_info()
            request = interface.encode().ljust(16, b"\0") + struct.pack("@P", address)
            try:
                fcntl.ioctl(ask, ETHTOOL, request.ljust(40, b"\0"))
            except OSError:
                continue  # a driver need not know the question; then there is nothing to turn off
            if struct.unpack("=II", value.tobytes())[1] & bit:
                on.append(name)
    return on


def advice(interface: str, on: list[str]) -> str:
    """Return the sentence that tells an operator what the offloads distort and how to turn them off."""
    return (
        f"the driver joins packets before they are captured ({', '.join(on)}), so that flows show fewer "
        f"and larger packets than the wire had: ethtool -K {interface} {' '.join(f'{name} off' for name in on)}"
    )
