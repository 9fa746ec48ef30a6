"""Many frames with one system call."""

import ctypes
import os
import socket
from collections.abc import Sequence
from errno import EAGAIN, ENOBUFS

import numpy as np
from numpy.typing import NDArray

PACKET_QDISC_BYPASS = 20
SOL_PACKET = 263

_MESSAGE = np.dtype(
    [
        *(("name", "u8"), ("name_len", "u4"), ("gap", "u4"), ("iov", "u8"), ("iov_len", "u8")),
        *(("control", "u8"), ("control_len", "u8"), ("flags", "i4"), ("gap2", "u4"), ("len", "u4"), ("gap3", "u4")),
    ]
)
"""struct mmsghdr of 64-bit Linux."""


class Burst:
    """Frames that lie one behind the other in memory, and are sent as they are there at that moment.

    Attributes:
        octets: their bytes, which may be changed between two sendings.
    """

    def __init__(self, interface: str, frames: Sequence[bytes]) -> None:
        """Bind to an interface. Raises OSError where that is not allowed."""
        self.octets: NDArray[np.uint8] = np.frombuffer(bytearray().join(frames), np.uint8)
        lengths = np.array([len(frame) for frame in frames], np.uint64)
        vectors = np.empty((len(frames), 2), np.uint64)
        vectors[:, 0] = self.octets.ctypes.data + np.cumsum(lengths) - lengths
        vectors[:, 1] = lengths
        messages = np.zeros(len(frames), _MESSAGE)
        messages["iov"] = vectors.ctypes.data + np.arange(len(frames), dtype=np.uint64) * 16
        messages["iov_len"] = 1
        self._vectors, self._messages = vectors, messages
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self._socket.bind((interface, 0))

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self._messages)

    def send(self, first: int, count: int) -> int:
        """Send so many from the first one on; return how many went. Raises OSError where it is not for want of room."""
        at = ctypes.c_void_p(self._messages.ctypes.data + first * _MESSAGE.itemsize)
        sent = self._libc.sendmmsg(self._socket.fileno(), at, min(count, len(self) - first), 0)
        if sent < 0:
            error = ctypes.get_errno()
            if error in (EAGAIN, ENOBUFS):
                return 0
            raise OSError(error, os.strerror(error))
        return int(sent)
