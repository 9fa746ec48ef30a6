"""A packet socket whose packets the kernel writes into memory that it shares with us: TPACKET_V3.

The memory is a ring of blocks. The kernel fills one, hands it over when it is full or its time is up, and
goes on with the next; each is ours until its status word says otherwise again.
"""

import errno
import mmap
import os
import socket
import struct
import sys

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources.bpf import NOTHING, Program, attach
from sensor.sources.fanout import SOL_PACKET, Fanout
from sensor.sources.interface import Interface

ETH_P_ALL = 3
ADD_MEMBERSHIP, RX_RING, STATISTICS, VERSION, IGNORE_OUTGOING = 1, 5, 6, 10, 23
PROMISCUOUS = 1
TPACKET_V3 = 2
SO_TIMESTAMPNS = 35
MEGABYTE, KILOBYTE = 1 << 20, 1 << 10
FRAME_BYTES = 2048  # says nothing in version 3, but must divide the block
LEAST_BLOCKS = 2
# struct tpacket_block_desc, in words of four bytes.
STATUS_WORD, LENGTH_WORD = 2, 5
OURS = 1


class Ring:
    """One socket and its ring, bound to an interface for as long as that is there."""

    def __init__(self, interface: Interface, capture: CaptureConfig, program: Program, fanout: Fanout | None) -> None:
        """Open it; packets that the program lets through come in from here on, or when a group is complete.

        Raises NettrusionError when the right or the memory is missing, OSError when the kernel refuses
        anything else (the interface has gone meanwhile).
        """
        self.index = interface.index
        self._program = program
        self._at = 0
        self.socket = open_socket(interface.name)
        try:
            self.socket.setsockopt(SOL_PACKET, VERSION, TPACKET_V3)
            # Every listener of the machine sees the same stamp, taken when the packet came.
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            if interface.loopback:
                self.socket.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
            # Binding lets packets in, and what the filter would refuse must not be among them.
            attach(self.socket, NOTHING)
            self.block_bytes = capture.block_kb * KILOBYTE
            self.wanted = max(LEAST_BLOCKS, capture.ring_mb * MEGABYTE // self.block_bytes)
            self.blocks = self._allocate(interface.name, capture.block_ms)
            self._bytes = memoryview(mmap.mmap(self.socket.fileno(), self.blocks * self.block_bytes))
            self._words = self._bytes.cast("I")
            if capture.promiscuous:
                join = struct.pack("=iHH8s", interface.index, PROMISCUOUS, 0, bytes(8))
                self.socket.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, join)
            self.socket.bind((interface.name, ETH_P_ALL))
            if fanout is None:
                self._let_in()
            else:
                fanout.join(self.socket, interface.index, self._let_in)
        except BaseException:
            self.socket.close()
            raise

    def block(self) -> memoryview | None:
        """Return the valid bytes of the next block, None while the kernel still fills it. No copy is made."""
        word = self._at * self.block_bytes // 4
        if not self._words[word + STATUS_WORD] & OURS:
            return None
        length = min(self._words[word + LENGTH_WORD], self.block_bytes)
        begin = self._at * self.block_bytes
        return self._bytes[begin : begin + length].toreadonly()

    def give_back(self) -> None:
        """Let the kernel fill the block at hand anew; it may do so at once.

        The caller has taken a lock since the block was read, so that no read of it is still on its way; the
        status is written in one store of four bytes.
        """
        self._words[self._at * self.block_bytes // 4 + STATUS_WORD] = 0
        self._at = (self._at + 1) % self.blocks

    @property
    def detached(self) -> bool:
        """Whether the interface that the socket was bound to is gone for good."""
        return not self.socket.getsockname()[0]

    def failure(self) -> int:
        """Return the errno that the kernel left, 0 when there is none, and clear it."""
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def statistics(self) -> tuple[int, int, int]:
        """Return (packets that passed the filter, those of them dropped, freezes) since the last call."""
        packets, drops, freezes = struct.unpack("=III", self.socket.getsockopt(SOL_PACKET, STATISTICS, 12))
        return packets, drops, freezes

    def close(self) -> None:
        """Close the socket. The memory goes when the last window on it has gone."""
        self.socket.close()
        self._words = self._bytes = memoryview(b"")

    def _allocate(self, name: str, block_ms: int) -> int:
        """Ask for as many blocks as there shall be, for half as many where memory is short; return how many."""
        blocks = self.wanted
        while blocks >= LEAST_BLOCKS:
            frames = self.block_bytes // FRAME_BYTES * blocks
            wish = struct.pack("=7I", self.block_bytes, blocks, FRAME_BYTES, frames, block_ms, 0, 0)
            try:
                self.socket.setsockopt(SOL_PACKET, RX_RING, wish)
            except OSError as error:
                if error.errno != errno.ENOMEM:
                    raise
                blocks //= 2
            else:
                return blocks
        raise NettrusionError(
            f"{name}: the kernel has no memory for a ring, not even for {LEAST_BLOCKS} blocks of "
            f"{self.block_bytes // KILOBYTE} KiB; make capture.ring_mb and capture.block_kb smaller"
        )

    def _let_in(self) -> None:
        if self.socket.fileno() >= 0:
            attach(self.socket, self._program)


def open_socket(name: str) -> socket.socket:
    """Open a packet socket that hears nothing yet.

    Raises NettrusionError when the process may not.
    """
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        raise NettrusionError(
            f"{name}: cannot open a packet socket: {error.strerror}; capturing needs the capability CAP_NET_RAW, "
            f"which the service has: systemctl start nettrusion@{name}; or run it with sudo, or give it to a Python "
            f"of its own: setcap cap_net_raw+ep {os.path.realpath(sys.executable)}"
        ) from error
