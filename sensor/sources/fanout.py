"""The workers of one interface share its packets: PACKET_FANOUT."""

import itertools
import socket
import struct
from collections.abc import Callable
from threading import Lock
from typing import Literal

from sensor.sources.balance import by_hosts
from sensor.sources.bpf import attach

SOL_PACKET = 263
PACKET_FANOUT, PACKET_FANOUT_DATA = 18, 22
BY_HASH, BY_PROGRAM = 0, 6
UNIQUE_ID, DEFRAGMENT = 0x2000, 0x8000

Balance = Literal["hosts", "flows"]


class Fanout:
    """The group of sockets, one a worker, among which the kernel deals the packets of one interface.

    Nothing is let in before all have joined: a packet that came earlier would be dealt among fewer, and its
    flow would end at one worker and go on at another. One object is shared by the threads of all workers.
    """

    def __init__(self, workers: int, balance: Balance = "hosts") -> None:
        """Plan a group.

        Args:
            workers: how many sockets join.
            balance: `hosts` deals by both addresses with a program of ours, `flows` by the kernel's hash of
                addresses and ports, for which it puts fragments together first.
        """
        self.workers = workers
        self.balance = balance
        self._program = by_hosts()
        self._lock = Lock()
        self._numbers = itertools.count()
        self._index = 0
        self._group = 0
        self._joined = 0
        self._waiting: list[Callable[[], None]] = []

    def enrol(self) -> int:
        """Return the next worker's number, from 0."""
        return next(self._numbers)

    def join(self, sock: socket.socket, index: int, let_in: Callable[[], None]) -> None:
        """Join the group of the interface with this number; the group begins anew when the number is another.

        Args:
            sock: bound to the interface; its filter lets nothing in.
            index: the interface's number; one that is deleted and made again gets another.
            let_in: opens the socket's filter; called, for all sockets, when the last one has joined.

        Raises OSError when the kernel refuses.
        """
        with self._lock:
            if index != self._index:
                self._begin(sock)
                self._index = index
            else:
                self._enter(sock, self._group, 0)
            self._joined += 1
            self._waiting.append(let_in)
            if self._joined >= self.workers:
                for open_up in self._waiting:
                    open_up()
                self._waiting.clear()

    def _begin(self, sock: socket.socket) -> None:
        """Make a group with the first socket; the kernel picks a number that no other program uses."""
        self._index, self._joined = 0, 0
        self._waiting.clear()
        self._enter(sock, 0, UNIQUE_ID)
        self._group = sock.getsockopt(SOL_PACKET, PACKET_FANOUT) & 0xFFFF
        if self.balance == "hosts":
            attach(sock, self._program, (SOL_PACKET, PACKET_FANOUT_DATA))

    def _enter(self, sock: socket.socket, group: int, flags: int) -> None:
        kind = BY_PROGRAM if self.balance == "hosts" else BY_HASH | DEFRAGMENT
        sock.setsockopt(SOL_PACKET, PACKET_FANOUT, struct.pack("=I", group | (kind | flags) << 16))
