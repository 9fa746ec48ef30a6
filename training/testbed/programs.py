"""Programs on the recorded hosts: started in a host's network, bounded in time, logged with who and when.

Each run gets a number and an environment in which it writes down the sockets that it opens; together
with this log that is the truth that the labels come from. Any number may run at once.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from sensor.errors import NettrusionError
from training.testbed.acts import Done
from training.testbed.enclosure import SOURCE_TREE
from training.testbed.world import Host

MOST_OUTPUT_BYTES = 1 << 20
GRACE_S = 2.0
"""What a program that is asked to end has for it, before it is killed."""
SAID_BYTES = 300
"""How much of a program's last words goes into a note."""
INTERPRETERS = {"sh", "bash", "python3", "perl", "ruby"}


@dataclass(frozen=True, slots=True)
class Run:
    """One program run: number, act that it belongs to (0: a server), host, command, real times, end.

    `exit_code` is negative for the signal that ended it. Times are CLOCK_REALTIME in nanoseconds,
    the clock of the capture and of the socket log.
    """

    run: int
    act: int
    tool: str
    host: str
    command: str
    start_ns: int
    end_ns: int
    exit_code: int


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something that went otherwise than its act meant it to; the recording goes on and tells it."""

    act: int
    kind: str
    run: int
    what: str


@dataclass(frozen=True, slots=True)
class Order:
    """A program to start: where, what, for which act, with what in its environment and on its input."""

    host: Host
    words: Sequence[str]
    act: int = 0
    env: Mapping[str, str] | None = None
    folder: Path | None = None
    stdin: bytes = b""
    typed: bool = False


class Started:
    """A program that runs; its output lies in memory, so it never waits for a reader."""

    def __init__(self, order: Order, number: int, process: "subprocess.Popen[bytes]", output: int, since: int) -> None:
        """Take over a process that leads a session of its own, and the file that it writes to."""
        self.order = order
        self.number = number
        self.start_ns = since
        self._process = process
        self._output = output
        self._lock = threading.Lock()
        self._done: Done | None = None

    def say(self, text: str) -> None:
        """Type into it; one that has gone meanwhile does not mind."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.closed:
            with suppress(BrokenPipeError):
                stdin.write(text.encode())
                stdin.flush()

    def ended(self, within_s: float) -> bool:
        """Wait for its end, at most so long; whether it has ended."""
        with self._lock:
            if self._done is not None:
                return True
            handle = os.pidfd_open(self._process.pid)
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(max(0.0, within_s) * 1e3))
        finally:
            os.close(handle)

    def said(self) -> bytes:
        """Return what it has printed until now."""
        with self._lock:
            return self._done.output if self._done else os.pread(self._output, MOST_OUTPUT_BYTES, 0)

    def terminate(self) -> None:
        """Ask it and its children to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it and its children."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            # Until it is collected its number is no one else's, and so is its session's.
            if self._done is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)

    def collect(self) -> Done:
        """Kill what is left of it and its children; return how it ended and what it printed."""
        self.kill()
        with self._lock:
            if self._done is None:
                exit_code = self._process.wait()
                if self._process.stdin is not None:
                    with suppress(BrokenPipeError):
                        self._process.stdin.close()
                self._done = Done(exit_code, os.pread(self._output, MOST_OUTPUT_BYTES, 0))
                os.close(self._output)
            return self._done

    def hang_up(self) -> None:
        """Close its input: nobody types any more."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()


class Programs:
    """Starts programs and keeps the log; used by many threads at once.

    `enter` moves the calling thread into a host's network, `environment` gives what a run of that
    number finds in its environment.
    """

    def __init__(
        self,
        enter: Callable[[Host], AbstractContextManager[object]],
        environment: Callable[[int], Mapping[str, str]],
    ) -> None:
        """Start with an empty log."""
        self._enter = enter
        self._environment = environment
        self._lock = threading.Lock()
        self._count = 0
        self._alive: dict[int, Started] = {}
        self._over = self._closed = False
        self.log: list[Run] = []
        self.surprises: list[Surprise] = []

    def start(self, order: Order) -> Started:
        """Start a program. Raises NettrusionError when there is none of that name, or the play is over."""
        with self._lock:
            if self._ended(order):
                raise Over
            self._count += 1
            number = self._count
        output = os.memfd_create(f"run-{number}")
        source = _source(order)
        since = time.time_ns()
        try:
            with self._enter(order.host):
                process = subprocess.Popen(
                    order.words,
                    stdin=source,
                    stdout=output,
                    stderr=output,
                    cwd=order.folder,
                    env={**self._environment(number), **(order.env or {})},
                    start_new_session=True,
                )
        except OSError as problem:
            os.close(output)
            raise NettrusionError(f"{order.words[0]} on {order.host.name}: {problem.strerror}") from problem
        finally:
            if source >= 0:
                os.close(source)
        started = Started(order, number, process, output, since)
        if not self._keep(started):
            self.collect(started)
            raise Over
        return started

    def collect(self, started: Started) -> Done:
        """End a program with its children, if it has not ended, and log it."""
        done = started.collect()
        with self._lock:
            if self._alive.pop(started.number, None) is not None:
                self.log.append(_logged(started, done))
        return done

    def note(self, surprise: Surprise) -> None:
        """Keep a surprise."""
        with self._lock:
            self.surprises.append(surprise)

    def runs(self) -> list[Run]:
        """Return the log in the order of the runs' numbers."""
        with self._lock:
            return sorted(self.log, key=lambda run: run.run)

    def _keep(self, started: Started) -> bool:
        """Count a program among those that run; False if nothing may run any more."""
        with self._lock:
            self._alive[started.number] = started
            return not self._ended(started.order)

    def _ended(self, order: Order) -> bool:
        return self._closed or (self._over and order.act > 0)

    def end_acts(self) -> None:
        """Kill the acts' programs that still run, and start no more of them; servers go on."""
        with self._lock:
            self._over = True
            left = [started for started in self._alive.values() if started.order.act]
        for started in left:
            self.collect(started)

    def close(self) -> None:
        """End all that still runs, asked first, killed later; start nothing any more."""
        with self._lock:
            self._over = self._closed = True
            left = list(self._alive.values())
        for started in left:
            started.terminate()
        until = time.monotonic() + GRACE_S
        for started in left:
            started.ended(until - time.monotonic())
            self.collect(started)


class Over(Exception):
    """The time of the act, or of the whole play, is up; the act ends where it stands."""


def surprise(started: Started, kind: str, done: Done, ok: Collection[int] | None) -> Surprise | None:
    """Return the surprise that a program's exit code is; None if it is among the expected ones."""
    if ok is None or done.exit_code in ok:
        return None
    words = " ".join(done.output[-SAID_BYTES:].decode("utf-8", "replace").split())
    what = f"{shown(started.order.words)}: exit code {done.exit_code}; it said: {words or 'nothing'}"
    return Surprise(started.order.act, kind, started.number, what)


def tool(words: Sequence[str]) -> str:
    """Return the name of what a command runs: of the script, if the program only interprets one."""
    name = Path(words[0]).name
    if name in INTERPRETERS:
        return next((Path(word).name for word in words[1:] if word.startswith("/")), name)
    return name


def shown(words: Sequence[str]) -> str:
    """Return a command as one line of at most 400 letters; where this project and its Python lie is left out."""
    line = " ".join(" ".join(words).split()).replace(sys.executable, "python").replace(str(SOURCE_TREE), ".")
    return line if len(line) <= 400 else line[:397] + "..."


def _source(order: Order) -> int:
    """Return the file descriptor, or subprocess's constant, that a program reads its input from."""
    if order.typed:
        return subprocess.PIPE
    if not order.stdin:
        return subprocess.DEVNULL
    handle = os.memfd_create("input")
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(order.stdin)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _logged(started: Started, done: Done) -> Run:
    order = started.order
    return Run(
        run=started.number,
        act=order.act,
        tool=tool(order.words),
        host=order.host.name,
        command=shown(order.words),
        start_ns=started.start_ns,
        end_ns=time.time_ns(),
        exit_code=done.exit_code,
    )
