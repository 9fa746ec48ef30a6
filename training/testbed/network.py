"""The recorded network: hosts in network namespaces around a router, where the capture is taken."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from sensor.errors import NettrusionError
from training.testbed.enclosure import SOURCE_TREE

SERVER_LINK = "to-server"
# A second address of the server where nothing listens, and one that nobody answers for.
SPARE = "10.77.9.20"
SILENT = "10.77.9.30"


@dataclass(frozen=True, slots=True)
class Host:
    """One host: name, number of its link, and the one-way delay, jitter and loss to the router."""

    name: str
    number: int
    delay_ms: float
    jitter_ms: float
    loss: float

    @property
    def v4(self) -> str:
        """The host's IPv4 address."""
        return f"10.77.{self.number}.10"

    @property
    def v6(self) -> str:
        """The host's IPv6 address."""
        return f"fd77:{self.number}::10"


DESK = Host("desk", 1, delay_ms=0.7, jitter_ms=0.2, loss=0.0)
LAPTOP = Host("laptop", 2, delay_ms=2.5, jitter_ms=1.5, loss=0.002)
OUTSIDE = Host("outside", 3, delay_ms=14.0, jitter_ms=3.0, loss=0.002)
SERVER = Host("server", 9, delay_ms=0.0, jitter_ms=0.0, loss=0.0)
CLIENTS = (DESK, LAPTOP, OUTSIDE)


def command(*words: str) -> None:
    """Run a command of the network's set-up; NettrusionError with its own words if it fails."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise NettrusionError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")


def inside(host: Host, words: Sequence[str]) -> list[str]:
    """Return the command that runs `words` in a host's namespace."""
    return ["ip", "netns", "exec", host.name, *words]


class Network:
    """The hosts, their links and the router; made on entry, taken down on exit, error or not.

    The clients' links are wires of `training.testbed.wire` (delay, jitter, loss); the server's is
    a veth pair, and its router end is where the capture is taken. No host has a default route.
    """

    def __init__(self, seed: int) -> None:
        """Prepare; nothing is made before the network is entered."""
        self._seed = seed
        self._wires: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Network":
        """Make the namespaces and links."""
        try:
            command("ip", "link", "set", "lo", "up")
            for key in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
                Path("/proc/sys", key).write_text("1")
            for host in (*CLIENTS, SERVER):
                self._join(host)
            self._address_server()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the wires and remove the namespaces with all that is in them."""
        self._remove()

    def _join(self, host: Host) -> None:
        near, far = f"to-{host.name}", f"at-{host.name}"
        command("ip", "netns", "add", host.name)
        # A host that starts an interface asks around for routers and names; ours has no need to.
        key = "/proc/sys/net/ipv6/conf/default/router_solicitations"
        command(*inside(host, ["sh", "-c", f"echo 0 >{key}"]))
        command(*inside(host, ["ip", "link", "set", "lo", "up"]))
        if host is SERVER:
            command("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        else:
            self._wires.append(self._wire(host, near, far))
        command("ip", "link", "set", far, "netns", host.name)
        mac = f"02:77:00:00:{host.number:02x}"
        for prefix, link, end in (([], near, "01"), (inside(host, []), far, "10")):
            # Offload would put frames of 64 KiB with unfinished checksums into the capture.
            quiet = ["tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx", "off", "sg", "off"]
            command(*prefix, "ethtool", "-K", link, *quiet)
            command(*prefix, "ip", "link", "set", link, "address", f"{mac}:{end}")
            v4 = f"10.77.{host.number}.{int(end)}/24"
            command(*prefix, "ip", "address", "add", v4, "dev", link)
            v6 = f"fd77:{host.number}::{end.lstrip('0')}/64"
            command(*prefix, "ip", "address", "add", v6, "dev", link, "nodad")
            command(*prefix, "ip", "link", "set", link, "up")
        command(*inside(host, ["ip", "route", "add", "10.77.0.0/16", "via", v4_router(host)]))
        via = f"fd77:{host.number}::1"
        command(*inside(host, ["ip", "-6", "route", "add", "fd77::/16", "via", via]))

    def _address_server(self) -> None:
        link = f"at-{SERVER.name}"
        command(*inside(SERVER, ["ip", "address", "add", f"{SPARE}/24", "dev", link]))
        # The server gets the packets for this address, is no router, and so drops them in silence.
        mac = f"02:77:00:00:{SERVER.number:02x}:10"
        command("ip", "neighbour", "add", SILENT, "lladdr", mac, "dev", SERVER_LINK)

    def _wire(self, host: Host, near: str, far: str) -> "subprocess.Popen[str]":
        words = [sys.executable, "-m", "training.testbed.wire", near, far]
        words += [str(host.delay_ms), str(host.jitter_ms), str(host.loss), str(self._seed)]
        wire = subprocess.Popen(words, cwd=SOURCE_TREE, stdout=subprocess.PIPE, text=True)
        if stdout_line(wire.stdout) != "ready":
            raise NettrusionError(f"the wire to {host.name} did not start; is /dev/net/tun usable?")
        return wire

    def _remove(self) -> None:
        for wire in self._wires:
            wire.kill()
            wire.communicate()
        for host in (*CLIENTS, SERVER):
            subprocess.run(["ip", "netns", "delete", host.name], capture_output=True)


def v4_router(host: Host) -> str:
    """Return the router's IPv4 address on a host's link."""
    return f"10.77.{host.number}.1"


def stdout_line(stream: IO[str] | None) -> str:
    """Return the first line that a program wrote, without its end; empty if it ended instead."""
    return stream.readline().strip() if stream else ""
