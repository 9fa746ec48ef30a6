"""Sends frames at a rate, many with one system call; a sender that copies nothing and computes nothing."""

import ctypes
import os
import socket
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.wire.traffic import LONGEST, Traffic

SOL_PACKET, QDISC_BYPASS = 263, 20
AT_ONCE = 64
AGAIN = (11, 105)  # EAGAIN, ENOBUFS
_MESSAGE = np.dtype(
    {
        "names": ["iov", "iov_len"],
        "formats": ["u8", "u8"],
        "offsets": [16, 24],
        "itemsize": 64,
    }
)
"""struct mmsghdr of 64-bit Linux, as far as it is filled in."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: packets, in how many seconds, with how many CPU seconds of the sender's thread."""

    packets: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.packets / self.seconds


class Sender:
    """Frames ready to be sent from one interface, again from the first when the last is gone."""

    def __init__(self, traffic: Traffic) -> None:
        """Describe every frame to the kernel: what is held of it, then zeros up to its length."""
        self.traffic = traffic
        count = len(traffic)
        self._zeros = np.zeros(LONGEST, np.uint8)
        self._vectors = np.empty((count, 2, 2), np.uint64)
        self._vectors[:, 0, 0] = traffic.at + np.uint64(traffic.data.ctypes.data)
        self._vectors[:, 0, 1] = traffic.held
        self._vectors[:, 1, 0] = self._zeros.ctypes.data
        self._vectors[:, 1, 1] = traffic.length - traffic.held
        self._messages = np.zeros(count, _MESSAGE)
        self._messages["iov"] = np.uint64(self._vectors.ctypes.data) + np.arange(count, dtype=np.uint64) * np.uint64(32)
        self._messages["iov_len"] = np.where(traffic.length > traffic.held, 2, 1)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def send(self, interface: str, rate: float, seconds: float) -> Sent:
        """Send for so long at a rate, 0 for as fast as it goes, from the namespace that this thread is in.

        A sender that is behind makes up for it; it sleeps when it is ahead, at least 50 us, so packets come in
        small bursts as they do from a network card.
        """
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
            out.setsockopt(SOL_PACKET, QDISC_BYPASS, 1)
            out.bind((interface, 0))
            count, base, file = len(self.traffic), self._messages.ctypes.data, out.fileno()
            sent = at = 0
            cpu_s, begun_s = time.thread_time(), time.perf_counter()
            while (past_s := time.perf_counter() - begun_s) < seconds:
                due = int(past_s * rate) - sent if rate else AT_ONCE
                if due <= 0:
                    time.sleep(0.00005)
                    continue
                wanted = min(due, AT_ONCE, count - at)
                done = self._libc.sendmmsg(file, ctypes.c_void_p(base + at * _MESSAGE.itemsize), wanted, 0)
                if done < 0:
                    error = ctypes.get_errno()
                    if error not in AGAIN:
                        raise OSError(error, os.strerror(error))
                    continue
                sent += done
                at = (at + done) % count
            return Sent(sent, time.perf_counter() - begun_s, time.thread_time() - cpu_s)
