"""Classic BPF programs, as the kernel runs them on each packet before anything is copied.

A program's return value is the number of bytes to keep, 0 to drop the packet. A load beyond the end of a
packet ends the program with 0.
"""

import errno
import socket
import struct
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from sensor.errors import NettrusionError

SO_ATTACH_FILTER = 26
MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS

# Loads from here on are counted from the network header, wherever the kernel happens to stand in the packet.
NETWORK = 0xFFF0_0000  # SKF_NET_OFF
PROTOCOL = 0xFFFF_F000  # SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType behind tags that the kernel took off
PACKET_TYPE = 0xFFFF_F004  # SKF_AD_OFF + SKF_AD_PKTTYPE

LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
LOAD_HALF = 0x28
LOAD_BYTE = 0x30
COPY_TO_X = 0x07
XOR_X = 0xAC
XOR = 0xA4
SHIFT_RIGHT = 0x74
MULTIPLY = 0x24
JUMP = 0x05
JUMP_EQUAL = 0x15
RETURN = 0x06
RETURN_A = 0x16


class Instruction(NamedTuple):
    """One instruction: what to do, how far to jump when true and when false, and a constant."""

    code: int
    if_true: int
    if_false: int
    constant: int


Program = Sequence[Instruction]

NOTHING: Program = (Instruction(RETURN, 0, 0, 0),)


def everything(snap_bytes: int) -> Program:
    """Return a program that keeps the first bytes of every packet."""
    return (Instruction(RETURN, 0, 0, snap_bytes),)


def cut(program: Program, snap_bytes: int) -> Program:
    """Return a filter that keeps at most so many bytes of what the given one lets through."""
    return [
        step._replace(constant=snap_bytes) if step.code == RETURN and step.constant else step for step in program
    ]


AS_FILTER = (socket.SOL_SOCKET, SO_ATTACH_FILTER)


def attach(sock: socket.socket, program: Program, option: tuple[int, int] = AS_FILTER) -> None:
    """Give a socket its program, in place of the one it had, between two packets.

    Args:
        sock: any socket.
        program: at most 4,096 instructions, each jump inside.
        option: level and name of the socket option that takes it.

    Raises NettrusionError when the program is longer than the kernel takes, OSError for anything else.
    """
    if len(program) > MAX_INSTRUCTIONS:
        raise NettrusionError(
            f"capture.filter: makes {len(program):,} instructions, the kernel takes {MAX_INSTRUCTIONS:,}; shorten it"
        )
    code = array("B", b"".join(struct.pack("=HBBI", *step) for step in program))
    address, _ = code.buffer_info()
    try:
        sock.setsockopt(*option, struct.pack("@HP", len(program), address))
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise NettrusionError(
            f"capture.filter: {len(program):,} instructions are more than this system allows a socket; shorten it, "
            "or raise the limit: sysctl -w net.core.optmem_max=131072"
        ) from error
