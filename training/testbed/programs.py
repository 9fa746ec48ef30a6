"""Start programs in the recorded hosts, bounded in time, and log who ran what, when, from where.

The log is the truth that the labels come from. Two things make it exact: a program that lets us
choose gets source ports of its own, below the range from which the kernel gives ports to all
others; and of the programs without that choice a host runs one at a time. Whether that was enough
`training.testbed.labels` checks conversation by conversation.
"""

import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from training.testbed.network import Host, inside
from training.testbed.profiles import Label

# The kernel picks source ports from 32768 on, nmap from 33000 on: below is ours to give away.
OWN_PORTS = range(10_000, 32_000)
ANY_PORTS = (32_768, 65_535)
# Between two programs of a host that take any port: longer than a frame is under way.
SETTLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Reach:
    """What a program may open: protocol ("tcp", "udp", "icmp"), addresses, ports (first, last)."""

    protocol: str
    addresses: tuple[str, ...]
    ports: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Run:
    """One program run: who (host, source address, tool), what (command, reach, label), when.

    `start_ns` and `end_ns` are the wall clock, the same as the capture's; `source_ports` is the
    inclusive range that its sockets come from.
    """

    run: int
    host: str
    source: str
    source_ports: tuple[int, int]
    tool: str
    label: Label
    command: str
    reach: Reach
    start_ns: int
    end_ns: int
    exit_code: int

    @classmethod
    def of(cls, entry: dict[str, Any]) -> "Run":
        """Return the run that `as_dict` made this entry from."""
        where = entry["reach"]
        reach = Reach(where["protocol"], tuple(where["addresses"]), tuple(where["ports"]))
        return cls(**{**entry, "reach": reach, "source_ports": tuple(entry["source_ports"])})

    def as_dict(self) -> dict[str, Any]:
        """Return the run as plain values for a JSON file."""
        return asdict(self)


@dataclass(slots=True)
class Intent:
    """A program to run: where, what, and the traffic that it is expected to make.

    `typist` is called with the running program when somebody types into it; `limit_s` bounds it.
    """

    host: Host
    tool: str
    words: Sequence[str]
    reach: Reach
    label: Label = "benign"
    source: str = ""
    source_ports: tuple[int, int] = ANY_PORTS
    limit_s: float = 30.0
    environment: dict[str, str] = field(default_factory=dict)
    typist: Callable[["subprocess.Popen[bytes]"], None] | None = None


class Programs:
    """Runs intents and keeps the log; used by several threads, one an actor."""

    def __init__(self, environment: dict[str, str]) -> None:
        """Start with an empty log; `environment` is what every program gets."""
        self._environment = environment
        self._lock = threading.Lock()
        self._any_ports: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._next_port: dict[str, int] = {}
        self.log: list[Run] = []
        self.outputs: dict[int, bytes] = {}

    def own_ports(self, host: Host, count: int) -> tuple[int, int]:
        """Return a range of source ports that no other program of the host has had, inclusive."""
        with self._lock:
            first = self._next_port.get(host.name, OWN_PORTS.start)
            if first + count > OWN_PORTS.stop:
                raise ValueError(f"{host.name} has used up its source ports")
            self._next_port[host.name] = first + count
            return first, first + count - 1

    def run(self, intent: Intent) -> Run:
        """Run a program to its end, or kill it and its children at its limit, and log it.

        One that takes any source port first waits for the host's other ones of that kind.
        """
        if intent.source_ports != ANY_PORTS:
            return self._run(intent)
        with self._lock:
            turn = self._any_ports[intent.host.name]
        with turn:
            run = self._run(intent)
            time.sleep(SETTLE_S)
        return run

    def _run(self, intent: Intent) -> Run:
        start_ns = time.time_ns()
        program = subprocess.Popen(
            inside(intent.host, intent.words),
            env={**self._environment, **intent.environment},
            stdin=subprocess.PIPE if intent.typist else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        # Its children too: hydra's keep the output open, and reading that would never end.
        watch = threading.Timer(intent.limit_s, os.killpg, (program.pid, signal.SIGKILL))
        watch.start()
        try:
            if intent.typist:
                intent.typist(program)
            output, _ = program.communicate()
        finally:
            watch.cancel()
        return self._note(intent, start_ns, program.returncode, output)

    def _note(self, intent: Intent, start_ns: int, exit_code: int, output: bytes) -> Run:
        with self._lock:
            run = Run(
                run=len(self.log) + 1,
                host=intent.host.name,
                source=intent.source or intent.host.v4,
                source_ports=intent.source_ports,
                tool=intent.tool,
                label=intent.label,
                command=" ".join(intent.words),
                reach=intent.reach,
                start_ns=start_ns,
                end_ns=time.time_ns(),
                exit_code=exit_code,
            )
            self.log.append(run)
            self.outputs[run.run] = output
        return run
