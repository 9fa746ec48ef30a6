"""The capture: tcpdump on every link of the router, each packet of the network once."""

import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sensor.errors import NettrusionError

# Room for a burst, in KiB for each link; the kernel keeps packets there until tcpdump has them.
BUFFER_KIB = 16_384
COUNT = re.compile(r"^(\d+) packets? (captured|received by filter|dropped by kernel)", re.M)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was captured on one link: the file and how many packets are in it and were dropped."""

    link: str
    path: Path
    packets: int
    dropped: int


class Capture:
    """Records what arrives on the router's links, and what the router itself sends.

    A packet from one host to another arrives on one link and is recorded there. The router's own
    packets (ICMP errors, ARP and neighbour discovery) arrive nowhere: they are recorded as they
    leave, known by the router's addresses on the link.
    """

    def __init__(self, links: Mapping[str, Sequence[str]], folder: Path, snap_bytes: int = 192) -> None:
        """Prepare: `links` maps each link to the router's own addresses on it, MAC first."""
        self._links = links
        self._folder = folder
        self._snap_bytes = snap_bytes
        self._running: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> "Capture":
        """Start; return when all listen."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            for link, own in self._links.items():
                words = command(link, own, self.path(link), self._snap_bytes)
                self._running[link] = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
            for one in self._running.values():
                _await(one)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what `stop` has not ended."""
        self._kill()

    def path(self, link: str) -> Path:
        """Return the file of a link's packets."""
        return self._folder / f"{link}.pcap"

    def stop(self, settle_s: float = 0.5) -> list[Heard]:
        """End the capture `settle_s` from now and return what each link had.

        Raises NettrusionError when the kernel dropped packets: the labels would have gaps.
        """
        time.sleep(settle_s)
        for one in self._running.values():
            one.send_signal(signal.SIGINT)
        heard = []
        for link, one in self._running.items():
            _, said = one.communicate(timeout=30)
            counts = {what: int(count) for count, what in COUNT.findall(said)}
            if one.returncode or "captured" not in counts or "dropped by kernel" not in counts:
                raise NettrusionError(f"tcpdump on {link} failed: {said.strip()}")
            heard.append(Heard(link, self.path(link), counts["captured"], counts["dropped by kernel"]))
        self._running.clear()
        if lossy := [f"{one.dropped} on {one.link}" for one in heard if one.dropped]:
            raise NettrusionError(f"The capture lost packets ({', '.join(lossy)}): the machine was too busy.")
        return heard

    def _kill(self) -> None:
        for one in self._running.values():
            one.kill()
            one.communicate()
        self._running.clear()


def command(link: str, own: Sequence[str], path: Path, snap_bytes: int) -> list[str]:
    """Return the command that captures on a link; `own` are the router's MAC and IP addresses there.

    The direction is known by the MAC address: tcpdump judges the first packets itself, and what the
    kernel calls inbound it does not know, and would throw away.
    """
    words = ["tcpdump", "-i", link, "-n", "-s", str(snap_bytes), "-B", str(BUFFER_KIB), "--immediate-mode"]
    words += ["-Z", "root", "-w", str(path)]
    if not own:
        return [*words, "-Q", "in"]
    mac, *addresses = own
    # `src host` means the sender of an ARP packet too.
    return [*words, " or ".join([f"not ether src {mac}", *(f"src host {address}" for address in addresses)])]


def _await(one: "subprocess.Popen[str]") -> None:
    assert one.stderr is not None
    said = one.stderr.readline()
    if "listening on" not in said:
        raise NettrusionError(f"tcpdump did not start: {said.strip()}{one.stderr.read().strip()}")
