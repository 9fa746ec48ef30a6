"""NAT on request: a gateway that gives all hosts inside one address, and what it translated.

The kernel's own connection tracking says for each conversation which host and port inside became
which port of the gateway, so that a capture taken behind the gateway keeps exact labels.
"""

import re
import signal
import subprocess
import threading
from dataclasses import dataclass

from sensor.errors import NettrusionError
from training.testbed.world import Host, World

NUMBER = 40
EVENT = re.compile(r"\[(?P<s>\d+)\.(?P<us>\d{6})\d*\s*\]\s+\[NEW\]\s+(?P<name>\S+)\s+(?P<proto>\d+)\s")
FIELD = re.compile(r"\b(src|dst|sport|dport|id)=(\S+)")


@dataclass(frozen=True, slots=True)
class Translation:
    """One conversation through the gateway: who it was inside, and who it is outside.

    `proto` is the IP protocol's number, `time_ns` the wall clock when its first packet had passed.
    ICMP has the echo's id in place of both source ports and 0 as the destination's.
    """

    time_ns: int
    proto: int
    inside: str
    inside_port: int
    outside: str
    outside_port: int
    dst: str
    dport: int


def gateway(world: World) -> Host:
    """Return the gateway of a world with NAT: a host of its own that runs no programs."""
    desk = world.host("desk")
    taken = {host.number for host in world.hosts.values()}
    number = next(number for number in range(NUMBER, 255) if number not in taken)
    return Host("gateway", "inside", number, prefix4=desk.prefix4, prefix6=desk.prefix6)


def rules(link: str) -> str:
    """Return the gateway's nftables rules: IPv4 that leaves on `link` gets its address.

    What comes from there over IPv4 unasked is dropped, as a home's gateway does; IPv6 is routed.
    """
    return (
        "table ip testbed {\n"
        f' chain leave {{ type nat hook postrouting priority 100; oifname "{link}" masquerade; }}\n'
        " chain pass { type filter hook forward priority 0;\n"
        f'  iifname "{link}" ct state new drop; ct state invalid drop; }}\n'
        "}\n"
    )


def translation(line: str) -> Translation | None:
    """Return what a line of `conntrack -E -e NEW -o timestamp` says; None if nothing was translated.

    Raises ValueError for a line of another shape.
    """
    event = EVENT.match(line)
    values = FIELD.findall(line)
    half = [place for place, (name, _) in enumerate(values) if name == "src"]
    if not event or len(half) != 2:
        raise ValueError(f"not a new connection: {line!r}")
    asked: dict[str, str] = dict(values[: half[1]])
    answer: dict[str, str] = dict(values[half[1] :])
    if asked["src"] == answer["dst"]:
        return None
    return Translation(
        time_ns=int(event["s"]) * 10**9 + int(event["us"]) * 1000,
        proto=int(event["proto"]),
        inside=asked["src"],
        inside_port=int(asked.get("sport") or asked.get("id", "0")),
        outside=answer["dst"],
        outside_port=int(answer.get("dport") or answer.get("id", "0")),
        dst=asked["dst"],
        dport=int(asked.get("dport", "0")),
    )


class Translations:
    """Listens to the connection tracking of the namespace that it is started in."""

    def __init__(self) -> None:
        """Prepare; nothing runs before `start`."""
        self._listener: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._rows: list[Translation] = []
        self._said: list[str] = []

    def start(self) -> None:
        """Start to listen; the calling thread must be in the gateway's namespace."""
        # Line by line: what the listener prints would otherwise wait in its buffer.
        words = ["stdbuf", "-oL", "conntrack", "-E", "-f", "ipv4", "-e", "NEW", "-o", "timestamp", "-b", "16777216"]
        self._listener = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader.start()

    def so_far(self) -> list[Translation]:
        """Return the translations that were heard until now, in order of time.

        Raises NettrusionError if some were missed.
        """
        if self._said:
            raise NettrusionError(f"The gateway's translations are not all known: {' '.join(self._said)}")
        return sorted(self._rows, key=lambda row: row.time_ns)

    def stop(self) -> None:
        """Stop to listen."""
        if self._listener:
            self._listener.send_signal(signal.SIGTERM)
            self._listener.wait(10)
            self._reader.join(10)

    def _read(self) -> None:
        assert self._listener is not None and self._listener.stdout is not None
        for line in self._listener.stdout:
            try:
                row = translation(line)
            except ValueError:
                # It tells its buffer's size and how many events it has shown; all else is bad news.
                if not line.startswith("NOTICE") and "flow events have been shown" not in line:
                    self._said.append(line.strip())
            else:
                if row:
                    self._rows.append(row)
