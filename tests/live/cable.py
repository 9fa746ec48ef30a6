"""A cable between two network namespaces: a wire of a test's own, gone when the test is over.

    def test_something(cable):
        with cable.inside("sensor"):               # sockets made here stay there
            source = RingSource(cable.interface)
        cable.send(frames)                         # from the far end
        cable.run("sensor", "ip", "link", "set", cable.interface, "down")
"""

import ctypes
import itertools
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

CLONE_NEWNET = 0x4000_0000
Side = Literal["sensor", "far"]
_numbers = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Cable:
    """Two namespaces and a veth pair between them; both ends are up, silent, and have no address."""

    sensor: str
    far: str
    interface: str = "tap0"
    far_interface: str = "far0"

    def command(self, side: Side, *words: str) -> list[str]:
        """Return a command that runs in the namespace of one end."""
        return ["ip", "netns", "exec", self.sensor if side == "sensor" else self.far, *words]

    def run(self, side: Side, *words: str) -> str:
        """Run a program in the namespace of one end and return its output; raises when it fails."""
        done = subprocess.run(self.command(side, *words), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    @contextmanager
    def inside(self, side: Side) -> Iterator[None]:
        """Move this thread into the namespace of one end; what it opens or starts there stays there."""
        with namespace(self.sensor if side == "sensor" else self.far):
            yield

    def send(self, frames: Iterable[bytes], side: Side = "far") -> int:
        """Send whole Ethernet frames from one end, as fast as they go; return how many."""
        with self.inside(side), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
            out.bind((self.far_interface if side == "far" else self.interface, 0))
            return sum(1 for frame in frames if out.send(frame))

    def plug(self) -> None:
        """Make the veth pair and set both ends up."""
        ends = ("type", "veth", "peer", "name", self.far_interface, "netns", self.far)
        self.run("sensor", "ip", "link", "add", self.interface, *ends)
        self.run("sensor", "ip", "link", "set", self.interface, "up")
        self.run("far", "ip", "link", "set", self.far_interface, "up")

    def unplug(self) -> None:
        """Delete the veth pair, both ends at once."""
        self.run("sensor", "ip", "link", "del", self.interface)


@contextmanager
def namespace(name: str) -> Iterator[None]:
    """Move this thread into a named network namespace and back."""
    with Path("/proc/thread-self/ns/net").open() as home, Path("/run/netns", name).open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(file: int) -> None:
    if _libc.setns(file, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _sweep() -> None:
    """Delete what runs left behind that were killed."""
    for left in Path("/run/netns").glob("nt*n*"):
        owner = re.fullmatch(r"nt(\d+)n\d+[sf]", left.name)
        if owner and not Path("/proc", owner[1]).exists():
            subprocess.run(["ip", "netns", "del", left.name], capture_output=True, check=False)


@contextmanager
def laid() -> Iterator[Cable]:
    """Lay a cable between a fresh pair of namespaces; both are gone afterwards. Raises OSError where none can be."""
    _sweep()
    stem = f"nt{os.getpid()}n{next(_numbers)}"
    made = Cable(f"{stem}s", f"{stem}f")
    names = (made.sensor, made.far)
    try:
        for name in names:
            done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"no network namespace can be made here: {done.stderr.strip()}")
        for side in ("sensor", "far"):
            # No router solicitations and the like: what is on the wire was sent by the test.
            quiet = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6; ip link set lo up"
            made.run(side, "sh", "-c", quiet)
        made.plug()
        yield made
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def cable() -> Iterator[Cable]:
    """Return a fresh pair of namespaces with a cable between them."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    if not shutil.which("ip"):
        pytest.skip("network namespaces need the command ip (package iproute2)")
    with ExitStack() as stack:
        try:
            made = stack.enter_context(laid())
        except OSError as error:
            pytest.skip(str(error))
        yield made
