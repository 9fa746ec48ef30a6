"""A live interface: blocks of packets as the kernel wrote them, through every time that it goes down."""

import errno
import os
import select
import time
from collections.abc import Mapping
from threading import Lock, RLock
from typing import Literal

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources.addresses import addresses_of
from sensor.sources.bpf import Program, cut, everything
from sensor.sources.fanout import Fanout
from sensor.sources.interface import Interface
from sensor.sources.libpcap import compile_filter
from sensor.sources.offloads import advice, offloads_of
from sensor.sources.tpacket import Ring, open_socket

WAIT_MS = 250
# From a packet's stamp until its block is handed over pass at most two block timeouts, and a little.
TIMEOUTS_A_BLOCK = 2
MARGIN_MS = 100
NS_A_MS = 1_000_000
NOTHING = memoryview(b"")


def open_rings(interface: str, capture: CaptureConfig) -> list["RingSource"]:
    """Open an interface once for each worker, so that every packet comes to exactly one of them.

    Raises NettrusionError as RingSource does.
    """
    if capture.workers == 1:
        return [RingSource(interface, capture)]
    fanout = Fanout(capture.workers, "flows" if capture.balance == "flows" else "hosts")
    rings: list[RingSource] = []
    try:
        for _ in range(capture.workers):
            rings.append(RingSource(interface, capture, fanout))
    except BaseException:
        for ring in rings:
            ring.close()
        raise
    return rings


class RingSource:
    """The packets of one interface, or one worker's share of them; a `Source`."""

    framing: Literal["ring"] = "ring"
    live = True
    begun = 1
    size: int | None = None
    fault: str | None = None

    def __init__(self, interface: str, capture: CaptureConfig | None = None, fanout: Fanout | None = None) -> None:
        """Open an interface; one that is down is waited for.

        Args:
            interface: its name.
            capture: sizes, snap length, filter; the defaults when None.
            fanout: what the sources of one interface's workers share.

        Raises NettrusionError when there is no such interface, it cannot be read, the right to capture is
        missing or the filter is wrong.
        """
        self.name = self.in_iface = interface
        self.position = 0
        self.horizon_ns: int | None = None
        self._capture = capture or CaptureConfig()
        self._fanout = fanout
        self._reach_ns = (TIMEOUTS_A_BLOCK * self._capture.block_ms + MARGIN_MS) * NS_A_MS
        # Held while the ring is read, and while it is counted or a descriptor comes or goes.
        self._reading, self._counting = Lock(), RLock()
        # What concerns the interface is told by one of its workers.
        self._speaks = fanout is None or fanout.enrol() == 0
        self._totals = [0, 0, 0]
        self._notices: list[str] = []
        self._said = ""
        self._window = NOTHING
        self._ring: Ring | None = None
        self._closed = False
        self.up = False  # whether packets can come
        self._lost_ns = 0
        found = Interface.find(interface)
        self.link_type, self.mtu = found.link_type, found.mtu
        open_socket(interface).close()
        self._program()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        try:
            if found.up:
                self._open(found)
            else:
                self._say(f"is down; capture begins when it is up: ip link set {interface} up")
        except OSError as error:
            self.close()
            raise NettrusionError(f"{interface}: cannot capture: {error.strerror or error}") from error
        except BaseException:
            self.close()
            raise

    @property
    def window(self) -> memoryview:
        """What is left of the block at hand; empty when there is none. It lies in the ring itself."""
        return self._window

    def advance(self, used: int) -> None:
        """Take bytes off the block at hand; the kernel gets it back when none are left."""
        with self._reading:
            had = len(self._window)
            self._window = self._window[used:]
            self.position += had - len(self._window)
            if had and not self._window and self._ring is not None:
                self._ring.give_back()

    def more(self) -> bool:
        """Wait up to a quarter of a second for the next block; True even when none came, False once closed.

        What has gone before is kept: as long as a block is not used up, it is what there is.
        """
        with self._reading:
            if not self._closed and not self._window and not self._take():
                self._wait()
                if not self._closed:
                    self._take()
                    self._look_after()
        if self._closed:
            self.close()
        return not self._closed

    @property
    def counters(self) -> Mapping[str, int]:
        """What the kernel counted since the start: packets that passed the filter, those of them that found no
        place in the ring, and how often it stood still. Any thread may read it.
        """
        with self._counting:
            self._count()
            packets, drops, freezes = self._totals
        return {"kernel_packets": packets, "kernel_drops": drops, "freezes": freezes}

    def notices(self) -> list[str]:
        """Return what happened to the interface since the last call."""
        told, self._notices = self._notices, []
        return told

    def close(self) -> None:
        """Let go of the ring. A reader in another thread comes back from `more` at once, with False."""
        self._closed = True
        with self._counting:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)
        # Whoever reads just now has the lock, and calls this again when done.
        if self._reading.acquire(blocking=False):
            try:
                self._leave()
                with self._counting:
                    wake, self._wake = self._wake, -1
                    if wake >= 0:
                        os.close(wake)
            finally:
                self._reading.release()

    def _say(self, sentence: str) -> None:
        if self._speaks:
            self._notices.append(f"{self.name}: {sentence}")

    def _take(self) -> bool:
        """Make the next block the window, if the kernel has handed it over."""
        looked_ns = time.time_ns()
        block = self._ring.block() if self._ring is not None else None
        if block is not None:
            self._window = block
            return True
        self.horizon_ns = looked_ns - self._reach_ns
        return False

    def _wait(self) -> None:
        for file, event in self._poll.poll(WAIT_MS):
            if file != self._wake and event & (select.POLLERR | select.POLLHUP) and self._ring is not None:
                failure = self._ring.failure()
                if failure and self.up:
                    self.up, self._lost_ns = False, time.monotonic_ns()
                    why = "went down" if failure == errno.ENETDOWN else f"failed ({os.strerror(failure)})"
                    self._say(f"{why}; capture goes on when it is up")

    def _look_after(self) -> None:
        """Find out whether an interface that was lost is back."""
        if self.up:
            return
        found = Interface.look(self.name)
        if found is None or not found.up:
            return
        if self._ring is not None and not self._ring.detached:
            self.up = True
            self._say("is up again")
        elif not self._window and time.monotonic_ns() - self._lost_ns > self._reach_ns:
            # What the old ring still held has been handed out by now.
            self._open_again(found)

    def _open_again(self, found: Interface) -> None:
        try:
            self._leave()
            self._open(found)
        except (OSError, NettrusionError) as error:
            if str(error) != self._said:
                self._said = str(error)
                self._say(f"is there but cannot be captured: {error}; trying on")
        else:
            self._said = ""
            self._say("is up; capturing")

    def _open(self, found: Interface) -> None:
        ring = Ring(found, self._capture, self._program(), self._fanout)
        with self._counting:
            self._ring = ring
        self._poll.register(ring.socket, select.POLLIN)
        self.up = True
        self.mtu = found.mtu
        if ring.blocks < ring.wanted:
            self._say(
                f"the kernel had memory for {ring.blocks} of {ring.wanted} blocks of the ring only "
                f"({ring.blocks * self._capture.block_kb / 1024:g} MiB); bursts may be lost"
            )
        own = bool(addresses_of(self.name))
        # Known before a single flow is judged, so it is said at once; what a machine without an address here
        # sends cannot be distorted.
        joining = [] if found.loopback else [name for name in offloads_of(self.name) if own or name in ("gro", "lro")]
        if joining:
            self._say(advice(self.name, joining))

    def _leave(self) -> None:
        self._window = NOTHING
        if self._ring is not None:
            self._poll.unregister(self._ring.socket)
            with self._counting:
                self._count()
                self._ring.close()
                self._ring = None

    def _count(self) -> None:
        if self._ring is not None:
            self._totals = [sum(pair) for pair in zip(self._totals, self._ring.statistics(), strict=True)]

    def _program(self) -> Program:
        capture = self._capture
        if not capture.filter.strip():
            return everything(capture.snap_bytes)
        return cut(compile_filter(capture.filter, self.name, self.link_type), capture.snap_bytes)
